package azure

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/go-kit/log"
	"github.com/go-kit/log/level"

	"github.com/alertscaler/alertscaler/scaler/target"
	"github.com/alertscaler/alertscaler/scaler/target/share"
)

// scaleSet is a target.Target over a virtual machine scale set.
type scaleSet struct {
	share.OnClose
	account     *account
	group, name string
	what        string
	allowOthers bool
	logger      log.Logger

	// turn is held by whoever changes the set, so that changes are noted in the
	// order in which Azure took them.
	turn share.Lock
	// polling is held while the operation is asked how it stands.
	polling sync.Mutex

	mu       sync.Mutex // guards what is below
	pending  *operation
	failed   error // of the last operation
	asked    asked
	accepted time.Time // of the last write; reads must be younger
	counted  counted
}

// counted is what the instances came to when they were last looked at.
type counted struct {
	at               time.Time
	requested, ready int
}

var (
	_ target.Victims = (*scaleSet)(nil)
	_ target.Closer  = (*scaleSet)(nil)
)

// Current implements target.Target. The set is read from a list that its
// account's targets share, the operation of the last request is followed, and
// the instances are looked at where they may have changed, see ready.
func (s *scaleSet) Current(ctx context.Context) (target.State, error) {
	op := "read " + s.what
	if err := ctx.Err(); err != nil {
		// What is known already would come without a look at it.
		return target.State{}, failure(ctx, op, err)
	}
	if err := s.follow(ctx, op); err != nil {
		return target.State{}, err
	}
	m, requested, err := s.read(ctx, op)
	if err != nil {
		return target.State{}, err
	}
	ready, err := s.ready(ctx, op, m, requested)
	if err != nil {
		return target.State{}, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return target.State{Requested: requested, Ready: ready, Max: m.limit(), Failed: s.failed}, nil
}

// read reads the set as the account's list has it, and what is requested of it.
func (s *scaleSet) read(ctx context.Context, op string) (*setModel, int, error) {
	s.mu.Lock()
	accepted := s.accepted
	s.mu.Unlock()
	m, err := s.account.find(ctx, op, s.group, s.name, accepted)
	if err != nil {
		return nil, 0, err
	}
	requested, err := s.requested(op, m)
	return m, requested, err
}

// requested is the number that counts, see asked.
func (s *scaleSet) requested(op string, m *setModel) (int, error) {
	capacity := m.SKU.Capacity
	if capacity == nil {
		return 0, target.Errorf(target.KindPermanent, op,
			"it has no capacity to set: a flexible scale set without a virtual machine profile holds the machines that are put into it, and makes none")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.asked.requested(time.Now(), *capacity), nil
}

// ready counts the instances that serve. While anything may be changing they
// are listed each time. A set whose instances all were ready, and that Azure
// has finished with, is looked at again after a while, and no more of them at
// once than Azure's limits allow: of several hundred each has to wait its turn.
func (s *scaleSet) ready(ctx context.Context, op string, m *setModel, requested int) (int, error) {
	s.mu.Lock()
	c := s.counted
	settled := s.pending == nil && c.requested == requested && c.ready == requested && !c.at.IsZero() &&
		strings.EqualFold(m.Properties.ProvisioningState, provisioned)
	s.mu.Unlock()
	if settled && (time.Since(c.at) < s.account.settledFor || !s.account.recount.Allow()) {
		return c.ready, nil
	}
	began := time.Now()
	all, err := s.present(ctx, op, m)
	if err != nil {
		return 0, err
	}
	n := 0
	for _, v := range all {
		if v.ready() {
			n++
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if began.After(s.accepted) {
		s.counted = counted{at: began, requested: requested, ready: n}
	}
	return n, nil
}

// present lists the instances that are not on their way out.
func (s *scaleSet) present(ctx context.Context, op string, m *setModel) ([]vmModel, error) {
	all, err := s.account.instances(ctx, op+": list its instances", s.group, m)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.DeleteFunc(all, func(v vmModel) bool {
		return v.deleting() || (s.pending != nil && slices.Contains(s.pending.leaving, v.id()))
	}), nil
}

// Scale implements target.Target. It changes the capacity of the sku and
// nothing else. A change of the set since it was read, by anyone and of
// anything, is a conflict.
func (s *scaleSet) Scale(ctx context.Context, desired int) error {
	return s.ScaleDown(ctx, desired, nil)
}

// ScaleDown implements target.Victims. The instances are deleted by their IDs,
// which lowers the capacity by as many; where fewer are named than are to go,
// the others are those that the scale-in policy would take. An instance that is
// protected from scale-in is never one of them: Azure itself would delete it if
// it is named. Deleting has no precondition, so another's change at the same
// moment adds up with this one.
func (s *scaleSet) ScaleDown(ctx context.Context, desired int, victims []string) error {
	op := "scale " + s.what
	done, err := s.turn.Begin(ctx, op, desired, "no number of instances")
	if err != nil {
		return err
	}
	defer done()
	m, err := s.account.set(ctx, op, s.group, s.name)
	if err != nil {
		return err
	}
	requested, err := s.requested(op, m)
	switch {
	case err != nil:
		return err
	case requested == desired:
		return target.Errorf(target.KindNoOp, op, "a capacity of %d is already requested", desired)
	}
	if err := s.refuseOwned(ctx, op, m); err != nil {
		return err
	}
	ids, err := s.victims(ctx, op, m, requested-desired, victims)
	if err != nil {
		return err
	}
	method, path, header := http.MethodPatch, s.account.setPath(s.group, s.name), make(http.Header)
	var body any = map[string]any{"sku": map[string]int{"capacity": desired}}
	switch {
	case len(ids) > 0:
		method, path, body = http.MethodPost, path+"/delete", map[string][]string{"instanceIds": ids}
	case m.Etag != "":
		header["If-Match"] = []string{m.Etag}
	}
	res, err := s.account.send(ctx, method, s.account.url(path, computeVersion, nil), body, header)
	if err != nil {
		return failure(ctx, op, err)
	}
	s.took(op, requested, desired, ids, res)
	return nil
}

// took notes a request that Azure accepted.
func (s *scaleSet) took(op string, before, desired int, ids []string, res *http.Response) {
	o, err := s.account.newOperation(op, res)
	if err != nil {
		// It is accepted all the same, and cannot be followed.
		level.Warn(s.logger).Log("msg", "operation cannot be followed", "what", s.what, "err", err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.asked.accept(time.Now(), before, desired, len(ids) > 0)
	switch {
	case o == nil:
		s.asked.settle(time.Now(), false)
	case s.pending == nil:
		o.leaving = ids
	default:
		o.leaving = slices.Concat(ids, s.pending.leaving)
	}
	s.pending, s.failed, s.counted, s.accepted = o, nil, counted{}, time.Now()
	level.Debug(s.logger).Log("msg", "capacity requested", "what", s.what, "from", before, "to", desired, "named", len(ids))
}
