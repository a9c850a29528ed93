package objective

// Goal is what a learner aims at: one of the two is set.
type Goal struct {
	// Share of the time in which there is to be enough capacity, 0.5 ≤ Share < 1.
	Share float64
	// ShortagePrice is what a replica that is missing costs, in replicas that are there: above 1.
	ShortagePrice float64
}

// IsZero reports whether nothing is aimed at.
func (g Goal) IsZero() bool { return g == Goal{} }

// miss is how often the next replica may be missing: of the time, where a share
// of that is the goal. With a price it pays to have one more for as long as it
// is missing more often than in one of so many cases.
func (g Goal) miss() float64 {
	if g.ShortagePrice > 0 {
		return 1 / g.ShortagePrice
	}
	return 1 - g.Share
}

// correction is by which factor an aim may differ from the goal, at most.
const correction = 2

// within brings an aim within that range.
func (g Goal) within(aim float64) float64 {
	if g.ShortagePrice > 0 {
		return g.miss()
	}
	return min(max(aim, g.miss()/correction), g.miss()*correction, 0.5)
}

// Price is what a missing replica costs, in replicas that are there. A share of
// the time is a price too, the one at which the quantile that is cheapest is
// that share.
func (g Goal) Price() float64 { return 1 / g.miss() }
