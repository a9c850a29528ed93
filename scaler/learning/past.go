package learning

import (
	"context"
	"slices"
	"time"

	"github.com/go-kit/log/level"

	"github.com/alertscaler/alertscaler/scaler/policy/objective"
	"github.com/alertscaler/alertscaler/scaler/recovery"
	"github.com/alertscaler/alertscaler/scaler/usage"
)

// Past is what knows past usage. It is safe for concurrent use.
type Past interface {
	// Past returns what one resource used from after from until to, a sample a
	// step, oldest first. What is unknown is left out.
	Past(ctx context.Context, q usage.Query, from, to time.Time, step time.Duration) ([]objective.Sample, error)
}

// ComponentPast is where a panic of a Past comes about.
const ComponentPast = "reading of the past"

const (
	// pastReach is how far back usage is read: two days, so that a season of a
	// day is known at once.
	pastReach = 48 * time.Hour
	// pastAgain is how long to wait before a past that could not be read is
	// asked for again, and pastTries how often it is asked for at most.
	pastAgain = 5 * time.Minute
	pastTries = 12
)

// past is how far the past of one resource has been read.
type past struct {
	// next is when to ask for it, and tried how often that was done; after
	// pastTries there is no more to ask for.
	next  time.Time
	tried int
}

func (p *past) due(now time.Time) bool { return p.tried < pastTries && !now.Before(p.next) }

func (p *past) done() { p.tried = pastTries }

func (p *past) failed(now time.Time) { p.tried, p.next = p.tried+1, now.Add(pastAgain) }

func (p *past) shift(d time.Duration) {
	if !p.next.IsZero() {
		p.next = p.next.Add(d)
	}
}

// readPast fills in what the learner has not seen, where that is known: the
// days before its first sample, or the time that the server was down. What the
// learner has meanwhile seen itself is among it.
func (s *State) readPast(ctx context.Context, k *resource, name string, goal objective.Goal, e *Evaluation, provisioning time.Duration) {
	if e.Past == nil || !k.past.due(e.Now) {
		return
	}
	tick := k.learner.Tick()
	from := e.Now.Add(-pastReach)
	// What has gone on meanwhile, or has hardly begun, is in the past too.
	r, known := k.learner.Reading(0)
	anew := k.past.tried > 0 || known && r.Cold
	if !anew && k.learner.Last().After(from) {
		from = k.learner.Last()
	}
	if e.Now.Sub(from) <= 2*tick {
		k.past.done()
		return
	}
	i := slices.IndexFunc(e.Queries, func(q usage.Query) bool { return q.Resource == name })
	if i < 0 {
		return
	}
	var samples []objective.Sample
	err := recovery.Do(ComponentPast, func() (err error) {
		samples, err = e.Past.Past(ctx, e.Queries[i], from, e.Now.Add(-tick), tick)
		return err
	})
	if err != nil {
		k.past.failed(e.Now)
		if p := recovery.Of(err); p != nil {
			panic(p)
		}
		level.Warn(s.opts.Logger).Log("msg", "past usage cannot be read, learning from now on", "resource", name, "from", from, "err", err)
		return
	}
	k.past.done()
	if learnt, ok := k.learnPast(samples, goal, provisioning, anew); ok {
		level.Info(s.opts.Logger).Log("msg", "learnt from past usage", "resource", name, "from", from, "samples", learnt)
	}
}

// learnPast lets the learner have what was before, anew: with another learner,
// that has seen nothing of what is among it. False: that knows less, so the
// learner stays as it is.
func (k *resource) learnPast(samples []objective.Sample, goal objective.Goal, provisioning time.Duration, anew bool) (learnt int64, ok bool) {
	learner := k.learner
	if anew {
		learner = objective.New(goal, k.learner.Tick())
	}
	before := learner.Observations()
	for _, sample := range samples {
		sample.Provisioning = provisioning
		learner.Observe(sample)
	}
	if learner.Observations() < k.learner.Observations() {
		return 0, false
	}
	k.learner = learner
	learnt = learner.Observations() - before
	k.due = k.due || learnt > 0
	return learnt, true
}
