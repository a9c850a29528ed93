package plant

import "time"

// Run plays the demand against the controller.
//
// At the beginning of every step, what is due becomes ready; then, at every
// interval, the controller is asked, seeing the window that ends there, and
// what it requests is ready after the delay, what it gives back gone at once;
// then the step is measured.
func Run(d Demand, c Controller, o Options) Result {
	if len(d.Values) == 0 {
		return Result{}
	}
	r := o.rules(&d)
	need := d.needs()
	seen := d.Values
	if o.Saturate {
		seen = make([]float64, len(d.Values))
		seen[0] = min(d.Values[0], float64(r.start))
	}
	f := fleet{ready: r.start, requested: r.start}
	counted := newMeasure(&f, need[0])
	first := newMeasure(&f, need[0])
	hour := min(len(need), int(time.Hour/d.Step))
	actions := 0

	for i, control := 0, 0; i < len(need); {
		f.advance(i)
		if i == control {
			control += r.interval
			desired := r.bounded(c.Desired(Signal{
				Now:       time.Duration(i) * d.Step,
				Usage:     mean(seen, i, r.window),
				Ready:     f.ready,
				Requested: f.requested,
			}))
			if desired != f.requested {
				if i >= r.warmUp {
					actions++
				}
				f.request(desired, i+r.delay)
				f.advance(i)
			}
		}
		end := min(control, f.due(), len(need))
		if i < r.warmUp {
			end = min(end, r.warmUp)
		}
		if i < hour {
			end = min(end, hour)
			first.add(d.Values[i:end], need[i:end], f.ready, f.requested)
		}
		if o.Saturate {
			for s := i; s < end; s++ {
				seen[s] = min(d.Values[s], float64(f.ready))
			}
		}
		if i >= r.warmUp {
			counted.add(d.Values[i:end], need[i:end], f.ready, f.requested)
		} else {
			counted.pass(f.ready, need[end-1])
		}
		if o.Observe != nil {
			for s := i; s < end; s++ {
				o.Observe(s, f.requested, f.ready)
			}
		}
		i = end
	}
	out := counted.result(d.Step, actions)
	out.FirstHour = first.part()
	return out
}

// mean of the window that ends where step i begins; shorter at the beginning,
// where the very first moment sees its own step.
func mean(values []float64, i, window int) float64 {
	from, to := max(0, i-window), max(1, i)
	sum := 0.0
	for _, v := range values[from:to] {
		sum += v
	}
	return sum / float64(to-from)
}
