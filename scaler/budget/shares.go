package budget

import (
	"cmp"
	"math"
	"slices"

	"github.com/alertscaler/alertscaler/scaler/policy"
)

const (
	// maxHolders is how many of those are named that hold the most of a
	// budget, maxClaims how many of those that claim some, or lack it.
	maxHolders = 3
	maxClaims  = 10
)

// Shares are the parts that all policies have in one budget. To change one, and
// to say what room it has, takes no longer than the logarithm of their number.
type Shares struct {
	budget   policy.Budget
	holdings []Holding
	// order are the policies by priority, the highest first, and then by name;
	// place is where in it each is, above how many are of higher priority, and
	// below where those of lower priority begin.
	order, place, above, below []int
	// held and heldCost are what all have, or what is kept for them; replicas
	// and cost are what all have.
	held, replicas int
	heldCost, cost money
	// What is claimed, by place: how many do, how many of these are not only
	// expected to, and how much.
	claims, lacks, wants  counts
	wantsWhole, wantsNano counts // of the money
	// holders has those first that hold the most.
	holders holders
}

// NewShares takes the holdings over. Their policies, priorities, minimums and
// maximums are fixed.
func NewShares(b policy.Budget, holdings []Holding) *Shares {
	n := len(holdings)
	s := &Shares{
		budget: b, holdings: slices.Clone(holdings),
		order: make([]int, n), place: make([]int, n), above: make([]int, n), below: make([]int, n),
	}
	for i := range s.order {
		s.order[i] = i
	}
	slices.SortFunc(s.order, func(i, j int) int {
		a, b := &s.holdings[i], &s.holdings[j]
		return cmp.Or(cmp.Compare(b.Priority, a.Priority), cmp.Compare(a.Policy, b.Policy))
	})
	for p := 0; p < n; {
		end := p
		for end < n && s.holdings[s.order[end]].Priority == s.holdings[s.order[p]].Priority {
			end++
		}
		for k := p; k < end; k++ {
			i := s.order[k]
			s.place[i], s.above[i], s.below[i] = k, p, end
		}
		p = end
	}
	for _, c := range []*counts{&s.claims, &s.lacks, &s.wants, &s.wantsWhole, &s.wantsNano} {
		*c = make(counts, n+1)
	}
	s.holders = newHolders(s.holdings)
	for i := range s.holdings {
		s.count(i, 1)
	}
	return s
}

// At is the i-th policy's part.
func (s *Shares) At(i int) Holding { return s.holdings[i] }

// Held is what all policies have together.
func (s *Shares) Held() (replicas int, costPerHour float64) { return s.replicas, s.cost.value() }

// Set changes what the i-th policy has, and what it lacks.
func (s *Shares) Set(i int, h Holding) {
	me := &s.holdings[i]
	if *me == h {
		return
	}
	s.count(i, -1)
	me.Replicas, me.CostPerHour = h.Replicas, h.CostPerHour
	me.Wants, me.WantsCostPerHour, me.Expected = h.Wants, h.WantsCostPerHour, h.Expected
	s.count(i, 1)
	s.holders.fix(s.holders.at[i])
}

// count adds the i-th policy's part to the sums, or takes it away.
func (s *Shares) count(i, sign int) {
	h, p := &s.holdings[i], s.place[i]
	s.held += sign * max(h.Replicas, h.Min)
	s.replicas += sign * h.Replicas
	s.heldCost = s.heldCost.plus(sign, moneyOf(max(h.CostPerHour, h.MinCostPerHour)))
	s.cost = s.cost.plus(sign, moneyOf(h.CostPerHour))
	if !h.claims() {
		return
	}
	s.claims.add(p, sign)
	if !h.Expected {
		s.lacks.add(p, sign)
	}
	s.wants.add(p, sign*h.Wants)
	cost := moneyOf(h.WantsCostPerHour)
	s.wantsWhole.add(p, sign*cost.whole)
	s.wantsNano.add(p, sign*cost.nano)
}

// Room is what the i-th policy may have of the budget: what the others leave.
// Each policy's minimum is kept for it, and what policies of higher priority
// want and lack is left for them; among equals, who asks first is served
// first. The order of the holdings is irrelevant.
//
// Where every policy stays within its Room, or has what it had, the budget is
// never exceeded.
func (s *Shares) Room(i int) policy.Room {
	me, b := &s.holdings[i], &s.budget
	r := policy.Room{Budget: b.Name}
	tight := false
	if b.MaxReplicas > 0 {
		n := left(b.MaxReplicas-(s.held-max(me.Replicas, me.Min)), s.wants.before(s.above[i]), me.Min)
		r.Replicas = &n
		tight = n < me.Max
	}
	if b.MaxCostPerHour > 0 {
		others := s.heldCost.plus(-1, moneyOf(max(me.CostPerHour, me.MinCostPerHour)))
		claimed := money{s.wantsWhole.before(s.above[i]), s.wantsNano.before(s.above[i])}
		c := left(b.MaxCostPerHour-others.value(), claimed.value(), me.MinCostPerHour)
		r.CostPerHour = &c
		tight = true
	}
	if !tight {
		return r
	}
	if claims := s.claims.before(s.above[i]); claims > 0 {
		r.Claimed = true
		r.Rivals, r.MoreRivals = s.named(s.claims, 0, claims)
	} else {
		r.Rivals = s.holders.most(maxHolders, i)
	}
	above := s.lacks.before(s.below[i])
	r.Victims, r.MoreVictims = s.named(s.lacks, above, s.lacks.before(len(s.order))-above)
	return r
}

// Lacking are those of lower priority than the i-th policy that lack
// something.
func (s *Shares) Lacking(i int) []int {
	first, all := s.lacks.before(s.below[i]), s.lacks.before(len(s.order))
	var out []int
	for k := first; k < all; k++ {
		out = append(out, s.order[s.lacks.find(k)])
	}
	return out
}

// named are the first of n claims, after so many that come before them, and
// how many more there are.
func (s *Shares) named(claims counts, skip, n int) (who []string, more int) {
	for k := range min(n, maxClaims) {
		who = append(who, s.holdings[s.order[claims.find(skip+k)]].Policy)
	}
	return who, max(0, n-maxClaims)
}

// left is what remains of free after the claims, and never less than the
// minimum as far as there is anything.
func left[N int | float64](free, claimed, minimum N) N {
	return max(0, free-claimed, min(free, minimum))
}

// money is a cost in whole units and billionths of one. Its sums are exact, so
// that they do not depend on what was added and taken away before.
type money struct{ whole, nano int }

func moneyOf(cost float64) money {
	whole := math.Floor(cost)
	return money{int(whole), int(math.Round((cost - whole) * 1e9))}
}

func (m money) plus(sign int, n money) money {
	return money{m.whole + sign*n.whole, m.nano + sign*n.nano}
}

func (m money) value() float64 {
	const nanos = 1_000_000_000
	if m.whole > -nanos && m.whole < nanos {
		return float64(m.whole*nanos+m.nano) / nanos
	}
	return float64(m.whole) + float64(m.nano)/nanos
}

// counts are numbers by place, of which the sum of the first ones is known: a
// binary indexed tree.
type counts []int

func (c counts) add(place, n int) {
	for k := place + 1; k < len(c); k += k & -k {
		c[k] += n
	}
}

// before is the sum of those at the places before that one.
func (c counts) before(place int) int {
	sum := 0
	for k := place; k > 0; k -= k & -k {
		sum += c[k]
	}
	return sum
}

// find is the place of the k-th of what is counted, from 0.
func (c counts) find(k int) int {
	step := 1
	for step*2 < len(c) {
		step *= 2
	}
	place := 0
	for ; step > 0; step /= 2 {
		if next := place + step; next < len(c) && c[next] <= k {
			place, k = next, k-c[next]
		}
	}
	return place
}

// holders are the policies as a heap, who holds the most on top.
type holders struct {
	of   []Holding
	heap []int
	// at is where in heap each is.
	at []int
}

func newHolders(of []Holding) holders {
	h := holders{of: of, heap: make([]int, len(of)), at: make([]int, len(of))}
	for i := range of {
		h.heap[i], h.at[i] = i, i
		h.rise(i)
	}
	return h
}

// more reports whether the one at a holds more than the one at b.
func (h *holders) more(a, b int) bool {
	x, y := &h.of[h.heap[a]], &h.of[h.heap[b]]
	if (x.Replicas > 0) != (y.Replicas > 0) {
		return x.Replicas > 0
	}
	return cmp.Or(cmp.Compare(y.CostPerHour, x.CostPerHour), cmp.Compare(y.Replicas, x.Replicas), cmp.Compare(x.Policy, y.Policy)) < 0
}

func (h *holders) swap(a, b int) {
	h.heap[a], h.heap[b] = h.heap[b], h.heap[a]
	h.at[h.heap[a]], h.at[h.heap[b]] = a, b
}

// rise brings the one at a as far up as it belongs, and returns where that is.
func (h *holders) rise(a int) int {
	for a > 0 && h.more(a, (a-1)/2) {
		h.swap(a, (a-1)/2)
		a = (a - 1) / 2
	}
	return a
}

// fix brings the one at a, which has changed, to where it belongs.
func (h *holders) fix(a int) {
	for a = h.rise(a); ; {
		most := a
		for below := 2*a + 1; below <= 2*a+2 && below < len(h.heap); below++ {
			if h.more(below, most) {
				most = below
			}
		}
		if most == a {
			return
		}
		h.swap(a, most)
		a = most
	}
}

// most are the n that hold the most, except one.
func (h *holders) most(n, except int) []string {
	var out []string
	next := []int{0}
	for len(out) < n && len(next) > 0 {
		best := 0
		for k := range next {
			if h.more(next[k], next[best]) {
				best = k
			}
		}
		at := next[best]
		next = slices.Delete(next, best, best+1)
		i := h.heap[at]
		if h.of[i].Replicas <= 0 {
			return out
		}
		if i != except {
			out = append(out, h.of[i].Policy)
		}
		for below := 2*at + 1; below <= 2*at+2 && below < len(h.heap); below++ {
			next = append(next, below)
		}
	}
	return out
}
