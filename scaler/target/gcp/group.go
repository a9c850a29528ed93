package gcp

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"path"
	"sync"
	"time"

	compute "google.golang.org/api/compute/v1"
	"google.golang.org/api/googleapi"

	"github.com/alertscaler/alertscaler/scaler/target"
	"github.com/alertscaler/alertscaler/scaler/target/share"
)

// group is a target.Victims: a managed instance group.
type group struct {
	share.OnClose
	cfg    Config
	key    groupKey
	what   string
	client *client
	// turn is held by whoever changes the group, so that what was accepted last
	// is what was asked for last.
	turn share.Lock
	// attempt has Google carry out once what it is asked again because its answer
	// was lost.
	attempt share.Token

	mu        sync.Mutex // guards what follows
	pending   *pending
	failed    error
	healthy   int64     // so many instances were all healthy at healthyAt
	healthyAt time.Time // zero: not all were
}

var (
	_ target.Victims = (*group)(nil)
	_ target.Closer  = (*group)(nil)
)

// Current implements target.Target.
//
// Requested is the group's target size, or the number that Google accepted from
// this target and has not carried out yet. How Ready is counted is at ready.
// Failed is a failed operation of the last request, or why an instance cannot
// be made.
func (g *group) Current(ctx context.Context) (target.State, error) {
	op := "read " + g.what
	m, requested, err := g.read(ctx, op)
	if err != nil {
		return target.State{}, err
	}
	ready, unmade, err := g.ready(ctx, m)
	if err != nil {
		return target.State{}, failure(ctx, op, err)
	}
	st := target.State{Requested: requested, Ready: ready}
	g.mu.Lock()
	defer g.mu.Unlock()
	switch {
	case g.failed != nil:
		st.Failed = g.failed
	case g.pending == nil:
		st.Failed = unmade
	}
	return st, nil
}

// read reads the group, and how many replicas are requested of it. The
// operation of the last request is looked at first, so that a group is never
// older than what is known of that.
func (g *group) read(ctx context.Context, op string) (*compute.InstanceGroupManager, int, error) {
	was, err := g.follow(ctx, op)
	if err != nil {
		return nil, 0, err
	}
	m, err := g.client.groups.Get(ctx, g.key, time.Time{})
	if err == nil && m == nil {
		err = &googleapi.Error{Code: http.StatusNotFound, Message: "there is no " + g.key.group(g.key.name)}
	}
	if err != nil {
		return nil, 0, failure(ctx, op, err)
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	shown := int(m.TargetSize)
	switch {
	case g.pending == nil:
	case g.pending != was, g.pending.hides(shown): // or it was accepted while the group was read
		return m, g.pending.to, nil
	default:
		g.pending = nil // it is there, or somebody else's is
	}
	return m, shown, nil
}

// asked is what was tried, in words.
func (g *group) asked(desired int) string {
	return fmt.Sprintf("scale %s to %d", g.what, desired)
}

// Scale implements target.Target.
func (g *group) Scale(ctx context.Context, desired int) error {
	return g.change(ctx, desired, nil)
}

// change brings the group to the desired number. choose, where it is not nil,
// returns the n instances that go on the way down; none: that is for the group
// to decide.
func (g *group) change(ctx context.Context, desired int, choose func(ctx context.Context, op string, n int) ([]string, error)) error {
	op := g.asked(desired)
	done, err := g.turn.Begin(ctx, op, desired, "not a number of replicas")
	if err != nil {
		return err
	}
	defer done()
	m, requested, err := g.read(ctx, op)
	if err != nil {
		return err
	}
	if requested == desired {
		return target.Errorf(target.KindNoOp, op, "it has a target size of %d already", desired)
	}
	if err := g.refuseOwned(ctx, op, m); err != nil {
		return err
	}
	var instances []string
	if n := requested - desired; choose != nil && n > 0 && n <= maxDeleted {
		if instances, err = choose(ctx, op, n); err != nil {
			return err
		}
	}
	return g.ask(ctx, op, requested, desired, instances)
}

// ask makes the request and remembers what has been accepted.
func (g *group) ask(ctx context.Context, op string, from, to int, instances []string) error {
	id := g.attempt.For(fmt.Sprint(from, to, instances))
	var (
		o   *compute.Operation
		err error
	)
	if len(instances) > 0 {
		o, err = g.client.api.deleteInstances(ctx, g.key, instances, id)
	} else {
		o, err = g.client.api.resize(ctx, g.key, int64(to), id)
	}
	// Even where there is no answer something may have happened.
	g.client.forget(g.key)
	g.mu.Lock()
	defer g.mu.Unlock()
	if err != nil {
		// A 5xx does not say that nothing was done.
		if answer, ok := asAnswer(err); ok && answer.Code < 500 {
			g.attempt.Answered()
			if len(instances) > 0 && answer.Code == http.StatusBadRequest && kind(err) == target.KindPermanent {
				// One of them has gone meanwhile.
				return &target.Error{Kind: target.KindConflict, Op: op, Err: err}
			}
		}
		return failure(ctx, op, err)
	}
	before := []int{from}
	if g.pending != nil {
		before = append(before, g.pending.before...)
	}
	g.attempt.Answered()
	g.failed, g.healthyAt = nil, time.Time{}
	g.pending = &pending{operation: o.Name, before: before, to: to, deletes: len(instances) > 0}
	return nil
}

// refuseOwned returns an error that names the autoscaler that sets the group's
// size. One that is off is no owner: it only recommends.
func (g *group) refuseOwned(ctx context.Context, op string, m *compute.InstanceGroupManager) error {
	if g.cfg.AllowOtherOwners || m.Status == nil || m.Status.Autoscaler == "" {
		return nil
	}
	name := path.Base(m.Status.Autoscaler)
	a, err := g.client.api.autoscaler(ctx, g.key.place, name)
	if answer, ok := asAnswer(err); ok && answer.Code == http.StatusNotFound {
		return nil // It was removed since.
	}
	if err != nil {
		return failure(ctx, op+": look at autoscaler "+name+" of it (allow_other_owners: true does without)", err)
	}
	mode := cmp.Or(share.Value(a.AutoscalingPolicy).Mode, "ON")
	if mode == "OFF" {
		return nil
	}
	return target.Errorf(target.KindPermanent, op,
		"autoscaler %s sets its size (mode %s): turn that off, or set allow_other_owners", name, mode)
}
