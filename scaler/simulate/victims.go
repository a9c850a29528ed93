package simulate

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"time"

	"github.com/alertscaler/alertscaler/scaler/config"
	"github.com/alertscaler/alertscaler/scaler/target"
)

// choosing is a platform that can be told which replicas go. Its replicas are
// alike, so that it matters only how many may.
type choosing struct{ *platform }

var _ target.Victims = choosing{}

// Replicas implements target.Victims.
func (c choosing) Replicas(context.Context) (target.Replicas, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.pass()
	r := target.Replicas{Label: "replica"}
	for i := range c.shows[0].replicas {
		name := c.replica(i)
		r.List = append(r.List, target.Replica{ID: name, Name: name, Ready: i < c.ready})
	}
	return r, nil
}

// ScaleDown implements target.Victims.
func (c choosing) ScaleDown(ctx context.Context, desired int, _ []string) error {
	return c.Scale(ctx, desired)
}

func (p *platform) replica(i int) string { return fmt.Sprintf("%s-%d", p.name, i+1) }

// choosingConfig hands it out.
type choosingConfig struct{ platformConfig }

var _ target.VictimsConfig = choosingConfig{}

func (choosingConfig) ChoosesVictims() bool                        { return true }
func (c choosingConfig) New(target.Options) (target.Target, error) { return choosing{c.it}, nil }

// feedLoads answers how busy the replicas of it are. Targets may share one
// question; their replicas have names of their own.
func (w *world) feedLoads(v *config.Victims, it *platform, busy Notation) {
	above := 0.0
	if v.ProtectAbove != nil {
		above = *v.ProtectAbove
	}
	samples := busy.samples(time.Time(w.test.Start), w.test.Interval.Std())
	answer := func(now time.Time) (map[string]float64, error) {
		n := 0.0
		if busy != nil {
			value, _, ok := samples.Sample(now, w.test.Interval.Std())
			if !ok {
				return nil, errors.New("the query has no answer")
			}
			n = value
		}
		requested, _ := it.counts()
		loads := make(map[string]float64, requested)
		for i := range requested {
			loads[it.replica(i)] = 0
			if float64(i) < n {
				loads[it.replica(i)] = above + 1
			}
		}
		return loads, nil
	}
	if before := w.loads[v.Query]; before != nil {
		one := answer
		answer = func(now time.Time) (map[string]float64, error) {
			all, err := before(now)
			if err != nil {
				return nil, err
			}
			mine, err := one(now)
			maps.Copy(all, mine)
			return all, err
		}
	}
	w.loads[v.Query] = answer
	w.usage.SetLoads(v.Query, answer)
}
