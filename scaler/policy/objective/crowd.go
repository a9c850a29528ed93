package objective

import "math"

// The forms answer together, by ML-Poly (Gaillard, Stoltz, van Erven: "A
// Second-order Bound with Excess Losses", COLT 2014): the answer is their
// weighted mean, and the weight of each is how much it would have cost less
// than what was played, its regret, over the sum of the squares of that. It has
// no parameter, and over any time the mean costs little more than the best form
// or mixture of forms in hindsight: about the root of the time it takes. Here
// both sums fade as everything does that was learnt, so that the best is that
// of the last day.
//
// A replica costs 1 for a tick, and one that is missing the goal's price. That
// is the pinball loss, of which the least is the quantile at 1 in that price.

// answer is what the forms say together, in replicas, and by whom most of it;
// false where none of them knows.
func (l *Learner) answer(d *decision) (played, forecast, most float64, by int, ok bool) {
	for i := range l.forms {
		d.Answers[i] = l.forms[i].answer(d)
	}
	played, forecast, most, by = l.mean(d, (*form).weight)
	if by < 0 {
		// Nothing tells them apart yet.
		played, forecast, most, by = l.mean(d, func(*form) float64 { return 1 })
	}
	return played, forecast, most, by, by >= 0
}

// mean of the answers; by is -1 where no form has a weight.
func (l *Learner) mean(d *decision, weigh func(*form) float64) (answer, forecast, most float64, by int) {
	sum, by := 0.0, -1
	for i := range l.forms {
		f := &l.forms[i]
		a := float64(d.Answers[i])
		if !f.known() || math.IsNaN(a) {
			continue
		}
		w := weigh(f)
		if w <= 0 {
			continue
		}
		sum += w
		answer += w * a
		forecast += w * float64(d.Forecast[f.forecast])
		if w > most {
			most, by = w, i
		}
	}
	if by < 0 {
		return 0, 0, 0, -1
	}
	return answer / sum, forecast / sum, most / sum, by
}

// weight of a form among the others.
func (f *form) weight() float64 { return max(0, f.Regret) / (1 + f.Squares) }

// regret holds what each form had said in time against what was played. What
// there is now was asked for by the least of the decisions in force, since
// replicas that are given back go at once.
func (l *Learner) regret(demand *amounts, cutOff bool, inForce []decision) {
	newest := &inForce[len(inForce)-1]
	ready := math.Inf(1)
	for k := range inForce {
		ready = min(ready, float64(inForce[k].Played))
	}
	capacity := math.Ceil(ready/l.size-1e-9) * l.size
	short := demand.above(capacity)
	if cutOff {
		// At least what there is, and nobody knows how much more.
		short = 0
		if capacity <= l.limits.ready*(1+1e-9) {
			short = 1
		}
	}
	price := short * l.goal.price()
	for i := range l.forms {
		least := inForce[0].Answers[i]
		if least != least { // NaN: it did not know yet
			continue
		}
		for k := range inForce {
			least = min(least, inForce[k].Answers[i])
		}
		if least != least {
			continue
		}
		f := &l.forms[i]
		less := float64(newest.Played-newest.Answers[i]) + price*(float64(least)-ready)
		f.Regret += l.weight * less
		f.Squares += l.weight * less * less
	}
}
