package objective

import "math"

// The forms answer together, by ML-Poly (Gaillard, Stoltz, van Erven: "A
// Second-order Bound with Excess Losses", COLT 2014): the answer is their
// weighted mean, and the weight of each is how much it would have cost less
// than what was played, its regret, over the sum of the squares of that. It has
// no parameter, and over any time costs little more than the best form in
// hindsight: about the root of the time it takes. Here both sums fade as
// everything does that was learnt, so that the best is that of the last day.
//
// With a price a replica costs 1 for a tick and one that is missing the price,
// in whole replicas, since no others can be had. With a share it is the pinball
// loss, of which the least is the quantile that is that share, and its slope
// where there is what was played: so the best is a mixture of forms.

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
		f, a := &l.forms[i], float64(d.Answers[i])
		w := weigh(f)
		if math.IsNaN(a) || w <= 0 {
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

// mostDeviations is how many standard deviations one regret may have.
const mostDeviations = 30

// weight of a form among the others.
func (f *form) weight() float64 { return max(0, f.Regret) / (1 + f.Squares) }

// regret holds what each form had said in time against what was played. What
// there is now was asked for by the least of the decisions in force, since
// replicas that are given back go at once.
func (l *Learner) regret(demand *amounts, cutOff bool, inForce []decision) {
	newest := &inForce[len(inForce)-1]
	ready := newest.Played
	for k := range inForce {
		ready = min(ready, inForce[k].Played)
	}
	capacity := l.whole(ready)
	short := demand.above(capacity)
	if cutOff {
		// At least what there is, and nobody knows how much more.
		short = 0
		if capacity <= l.limits.ready*(1+1e-9) {
			short = 1
		}
	}
	played, price := l.whole(newest.Played), l.goal.Price()
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
		less := 0.0
		switch had := l.whole(least); {
		case l.goal.ShortagePrice == 0:
			less = float64(newest.Played-newest.Answers[i]) + short*price*float64(least-ready)
		case cutOff:
			most := l.limits.wanted()
			less = played - l.whole(newest.Answers[i]) + price*(min(had, most)-min(capacity, most))
		default:
			less = played - l.whole(newest.Answers[i]) + price*(demand.beyond(capacity)-demand.beyond(had))
		}
		// ML-Poly is made for losses that have a bound, and one wrong sample of
		// usage would outweigh the regrets of a day.
		most := mostDeviations * math.Sqrt((l.weight+f.Squares)/l.compared)
		less = min(max(less, -most), most)
		f.Regret += l.weight * less
		f.Squares += l.weight * less * less
	}
}

// whole is the capacity of as many whole replicas as it takes.
func (l *Learner) whole(answer float32) float64 {
	return math.Ceil(float64(answer)/l.size-1e-6) * l.size
}
