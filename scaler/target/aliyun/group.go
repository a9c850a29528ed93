package aliyun

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/go-kit/log"
	"github.com/go-kit/log/level"

	"github.com/alertscaler/alertscaler/scaler/target"
	"github.com/alertscaler/alertscaler/scaler/target/share"
)

// group is a target.Victims.
type group struct {
	share.OnClose
	id, what    string
	allowOthers bool
	logger      log.Logger
	account     *account
	member      *member
}

var (
	_ target.Victims = (*group)(nil)
	_ target.Closer  = (*group)(nil)
)

// Current implements target.Target.
//
// Requested is the expected number of instances where the group has one. Else
// it is what the scaling activity that was last asked for brings the group to,
// until that has ended, and after that the instances that there are without
// those that are being removed. Ready are the instances in service, protected
// ones among them.
//
// LastChange is when a request of ours was accepted, and not known where
// someone else was the last: the group's own modification time is that of
// anything, to the minute.
func (g *group) Current(ctx context.Context) (target.State, error) {
	op := "read " + g.what
	info, err := g.read(ctx, op)
	if err != nil {
		return target.State{}, err
	}
	if before, due := g.member.due(&info.scalingGroup, g.account.followEvery); due {
		last, err := g.account.lastActivities(ctx, g.id)
		if err != nil {
			return target.State{}, failure(ctx, op, err)
		}
		g.member.went(before, last)
	}
	return g.member.state(info), nil
}

// Scale implements target.Target. Where the group has no expected number, and a
// scaling activity is in progress, anyone's, it is a conflict: Auto Scaling
// carries out one at a time.
func (g *group) Scale(ctx context.Context, desired int) error {
	return g.ScaleDown(ctx, desired, nil)
}

// read returns a group that can be scaled.
func (g *group) read(ctx context.Context, op string) (*seen, error) {
	info, err := g.account.groups.Get(ctx, g.id, time.Time{})
	switch {
	case err != nil:
		return nil, failure(ctx, op, err)
	case info == nil:
		return nil, target.Errorf(target.KindNotFound, op, "the region has no such scaling group, or none that these credentials may see")
	case info.Lifecycle == groupDeleting:
		return nil, target.Errorf(target.KindNotFound, op, "it is being deleted")
	case info.weighted():
		return nil, target.Errorf(target.KindPermanent, op, "its instance types have weights, so its numbers are not those of instances")
	}
	return info, nil
}

// ScaleDown implements target.Victims. It removes these instances, idsPerCall
// at most with one request: where the group has an expected number, which is
// lowered with it, Auto Scaling chooses the others, and where it has none this
// is a conflict, and the next call goes on.
func (g *group) ScaleDown(ctx context.Context, desired int, victims []string) error {
	op := fmt.Sprintf("scale %s to %d", g.what, desired)
	// The answers of two requests might come in another order than they were
	// accepted in.
	done, err := g.member.writing.Begin(ctx, op, desired, "no number of instances")
	if err != nil {
		return err
	}
	defer done()
	info, err := g.read(ctx, op)
	if err != nil {
		return err
	}
	from := g.member.state(info).Requested
	if from == desired {
		return target.Errorf(target.KindNoOp, op, "%d instances are already requested", desired)
	}
	if err := g.refuse(op, info, from, desired); err != nil {
		return err
	}
	if err := g.refuseOwned(ctx, op, info); err != nil {
		return err
	}
	// Whatever comes of it, what was read before may not be what there is.
	defer g.account.groups.Forget(g.id)
	if err := g.ask(ctx, op, info, from, desired, victims); err != nil {
		return err
	}
	level.Debug(g.logger).Log("msg", "scaling group changed", "group", g.id, "from", from, "to", desired)
	return nil
}

// refuse says why a group cannot be brought to a number, before Auto Scaling
// would, or where it would do less than that and say nothing.
func (g *group) refuse(op string, info *seen, from, desired int) error {
	process := "ScaleOut"
	if desired < from {
		process = "ScaleIn"
	}
	switch {
	case info.Lifecycle != groupActive:
		return target.Errorf(target.KindPermanent, op, "the group is %s; it has to be enabled", strings.ToLower(info.Lifecycle))
	case slices.Contains(info.Suspended, process):
		return target.Errorf(target.KindPermanent, op, "the process %s of the group is suspended; it has to be resumed", process)
	case info.Halted && desired > from:
		return target.Errorf(target.KindPermanent, op, "Auto Scaling has suspended the group after days of failures; its configuration has to be changed")
	case desired > info.Max:
		return target.Errorf(target.KindQuota, op, "the group's MaxSize is %d", info.Max)
	case desired < info.Min:
		return target.Errorf(target.KindPermanent, op, "the group's MinSize is %d", info.Min)
	}
	return nil
}

// refuseOwned refuses a group that event-triggered tasks scale too. A scheduled
// task is somebody who changes the number now and then, and no owner.
func (g *group) refuseOwned(ctx context.Context, op string, info *seen) error {
	if g.allowOthers || slices.Contains(info.Suspended, "AlarmNotification") {
		return nil
	}
	scalers, err := g.account.alarms.Get(ctx, struct{}{}, time.Time{})
	if err != nil {
		return failure(ctx, op, fmt.Errorf("who else scales it: %w", err))
	}
	tasks := scalers[g.id]
	if len(tasks) == 0 {
		return nil
	}
	// Whoever disables them need not wait.
	g.account.alarms.Forget(struct{}{})
	return target.Errorf(target.KindPermanent, op,
		"the event-triggered task %s scales it too, and each would undo the other; disable it, or set allow_other_owners", strings.Join(tasks, ", "))
}

// ask makes the request.
func (g *group) ask(ctx context.Context, op string, info *seen, from, desired int, victims []string) error {
	gone, err := g.gone(ctx, op, info, from-desired, victims)
	switch {
	case err != nil:
		return err
	case len(gone) > 0:
		if err := g.remove(ctx, op, info, from, gone); err != nil || from-len(gone) == desired {
			return err
		}
		if info.expected() == nil {
			return target.Errorf(target.KindConflict, op, "%d instances are being removed, and one call names no more", len(gone))
		}
		return g.expect(ctx, op, desired, gone)
	case info.expected() != nil:
		return g.expect(ctx, op, desired, nil)
	}
	token := g.member.token.For(fmt.Sprint(from, desired))
	id, err := g.account.scaleTo(ctx, g.id, desired, token)
	return g.asked(ctx, op, err, &request{desired: desired, activity: id})
}

// expect sets the expected number.
func (g *group) expect(ctx context.Context, op string, desired int, gone []string) error {
	last, err := g.account.lastActivities(ctx, g.id)
	if err != nil {
		return failure(ctx, op, err)
	}
	r := &request{desired: desired, going: gone}
	for _, a := range last {
		r.before = append(r.before, a.ID)
	}
	return g.asked(ctx, op, g.account.setExpected(ctx, g.id, desired), r)
}

// asked remembers a request that was accepted.
func (g *group) asked(ctx context.Context, op string, err error, r *request) error {
	if err != nil {
		err = failure(ctx, op, err)
		if target.KindOf(err) != target.KindTemporary {
			g.member.token.Answered()
		}
		return err
	}
	g.member.accepted(r)
	return nil
}
