package simulate

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/prometheus/common/model"

	"github.com/alertscaler/alertscaler/scaler"
	"github.com/alertscaler/alertscaler/scaler/config"
	"github.com/alertscaler/alertscaler/scaler/policy/objective"
	"github.com/alertscaler/alertscaler/scaler/simulate/plant"
	"github.com/alertscaler/alertscaler/scaler/usage"
)

// ErrNoHistory says that Prometheus answered, and has no history that can be
// played.
var ErrNoHistory = errors.New("no history to play")

// Past is a usage.Reader as far as it knows the past: a sample a step after
// from until to, oldest first, none where it is not known.
type Past interface {
	Past(ctx context.Context, q usage.Query, from, to time.Time, step time.Duration) ([]objective.Sample, error)
}

var _ Past = (*usage.Reader)(nil)

// HistoryOptions say what part of the past is read, and how.
type HistoryOptions struct {
	From, To time.Time
	Step     time.Duration
	// MaxGap is how long usage may be unknown: shorter gaps are interpolated.
	MaxGap time.Duration
	// CapacityPerReplica replaces the policy's; 0 does not.
	CapacityPerReplica float64
}

// Recorded is usage that was read from the past.
type Recorded struct {
	plant.Trace
	Start time.Time
	// Capacity of one replica at the end.
	Capacity float64
	Notes    []string
}

// ReadHistory reads the usage of the first resource of p, one of a policy with
// resources.
func ReadHistory(ctx context.Context, past Past, p *config.Policy, o HistoryOptions) (*Recorded, error) {
	q := scaler.QueriesFor(p)[0]
	if o.CapacityPerReplica > 0 {
		q.CapacityPerReplica = o.CapacityPerReplica
	}
	// So that the grid is the one that Prometheus is asked for.
	o.From, o.To = o.From.Truncate(time.Second), o.To.Truncate(time.Second)
	samples, err := past.Past(ctx, q, o.From, o.To, o.Step)
	if err != nil {
		return nil, err
	}
	between := fmt.Sprintf("of %s of policy %q between %s and %s", q.Resource, p.Name, rfc3339(o.From), rfc3339(o.To))
	if len(samples) < 2 {
		return nil, fmt.Errorf("%w: Prometheus has %d samples %s", ErrNoHistory, len(samples), between)
	}
	g := gapsIn(samples, o)
	if g.longest > o.MaxGap {
		return nil, fmt.Errorf("%w: %s of the %s %s is missing, the longest time from %s to %s; up to %s at a time is interpolated",
			ErrNoHistory, text(g.missing, o.Step), model.Duration(o.To.Sub(o.From)), between, rfc3339(g.from), rfc3339(g.to), model.Duration(o.MaxGap))
	}
	out := &Recorded{
		Trace:    plant.Trace{Name: p.Name, Interval: o.Step, Values: fill(samples, o.Step)},
		Start:    samples[0].At,
		Capacity: samples[len(samples)-1].Capacity,
	}
	if g.inside > 0 {
		out.Notes = append(out.Notes, fmt.Sprintf("%s of the history is missing, %s at most at a time, and interpolated", text(g.inside, o.Step), model.Duration(g.longestInside)))
	}
	lowest, highest := out.Capacity, out.Capacity
	for _, s := range samples {
		lowest, highest = min(lowest, s.Capacity), max(highest, s.Capacity)
	}
	if highest-lowest > 1e-3*out.Capacity {
		out.Notes = append(out.Notes, fmt.Sprintf("what one replica holds was between %.4g and %.4g; all of it is played with the newest, %.4g", lowest, highest, out.Capacity))
	}
	return out, nil
}

// gaps is where samples are missing: in all, and between the first and the
// last.
type gaps struct {
	missing, inside        int
	longest, longestInside time.Duration
	from, to               time.Time
}

func gapsIn(samples []objective.Sample, o HistoryOptions) gaps {
	var g gaps
	see := func(from, to time.Time, n int) {
		g.missing += n
		if gap := time.Duration(n) * o.Step; gap > g.longest {
			g.longest, g.from, g.to = gap, from, to
		}
	}
	see(o.From, samples[0].At, int(samples[0].At.Sub(o.From)/o.Step)-1)
	for i := 1; i < len(samples); i++ {
		from, to := samples[i-1].At, samples[i].At
		n := int(to.Sub(from)/o.Step) - 1
		see(from, to, n)
		g.inside += n
		g.longestInside = max(g.longestInside, time.Duration(n)*o.Step)
	}
	last := samples[len(samples)-1].At
	see(last, o.To, int(o.To.Sub(last)/o.Step))
	return g
}

func text(missing int, step time.Duration) string {
	return model.Duration(time.Duration(missing) * step).String()
}

// fill puts a straight line where samples are missing.
func fill(samples []objective.Sample, step time.Duration) []float64 {
	values := []float64{samples[0].Usage}
	for i := 1; i < len(samples); i++ {
		a, b := samples[i-1], samples[i]
		n := int(b.At.Sub(a.At) / step)
		for k := 1; k <= n; k++ {
			part := float64(k) / float64(n)
			values = append(values, a.Usage*(1-part)+b.Usage*part)
		}
	}
	return values
}

func rfc3339(t time.Time) string { return t.UTC().Format(time.RFC3339) }
