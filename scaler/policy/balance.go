package policy

// level spreads diff so that the targets become as even as their bounds allow:
// what is added goes to the lowest, what is taken comes from the highest.
func (s *spread) level(diff int) int {
	for diff != 0 {
		i, n := s.mostUneven(diff)
		if n == 0 {
			return diff
		}
		s.counts[i] += n
		s.earn(i, -n)
		diff -= n
	}
	return 0
}

// mostUneven is the target that is next, and how much of diff it takes before
// another one is.
func (s *spread) mostUneven(diff int) (best, n int) {
	best = -1
	next, others := 0, false
	sign := 1
	if diff < 0 {
		sign = -1
	}
	for k := range s.order {
		i := s.order[k]
		if diff < 0 {
			i = s.order[len(s.order)-1-k]
		}
		if !s.asks(i, diff) || s.afford(i, s.room(i, sign)) == 0 {
			continue
		}
		c := sign * s.counts[i]
		switch {
		case best < 0:
			best = i
		case c < sign*s.counts[best]:
			next, others = s.counts[best], true
			best = i
		case !others || c < sign*next:
			next, others = s.counts[i], true
		}
	}
	if best < 0 {
		return 0, 0
	}
	n = diff
	if others {
		// To the level of the next, or past it by one where they are even.
		n = next - s.counts[best]
		if n == 0 {
			n = sign
		}
		if sign*n > sign*diff {
			n = diff
		}
	}
	return best, s.afford(best, s.room(best, n))
}
