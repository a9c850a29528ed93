package aws

import (
	"context"
	"sync/atomic"
	"time"

	awsmiddleware "github.com/aws/aws-sdk-go-v2/aws/middleware"
	"github.com/aws/smithy-go/middleware"

	"github.com/alertscaler/alertscaler/scaler/target"
	"github.com/alertscaler/alertscaler/scaler/target/share"
)

const (
	// freshFor is how long what was read counts as read just now.
	freshFor = 2 * time.Second
	// visibleWithin is how long AWS may take to show a number that it
	// accepted.
	visibleWithin = 10 * time.Second
	// unownedFor is how long it is believed that nobody else sets the number.
	unownedFor = time.Minute
	// failureStands is how long nothing better may follow a failure until it
	// counts: in the next zone it may work.
	failureStands = 20 * time.Second
)

// key names a group, or a service of a cluster.
type key struct{ cluster, name string }

// request is one that AWS accepted.
type request struct {
	desired int
	at      time.Time // by our clock
	served  time.Time // by AWS' clock, which has whole seconds
}

// servedAt is AWS' own time of an answer.
func servedAt(m middleware.Metadata, otherwise time.Time) time.Time {
	if at, ok := awsmiddleware.GetServerTime(m); ok {
		return at
	}
	return otherwise
}

// hidden reports whether the number that was read can be one from before our
// last request, which AWS does not show yet.
func (r request) hidden(read int) bool {
	return r.desired != read && !r.at.IsZero() && time.Since(r.at) < visibleWithin
}

// scalable is what targets of both kinds have.
type scalable struct {
	*account
	share.OnClose
	allowOthers   bool
	failureStands time.Duration
	// owner says who else sets the number; empty: nobody.
	owner share.Readings[struct{}, string]

	// calls has one change at a time: what was asked for last is then what was
	// accepted last, and no two take more away than one of them was to.
	calls share.Lock

	last atomic.Pointer[request]
}

// lastRequest is the last one that AWS accepted, zero where there was none.
func (s *scalable) lastRequest() request { return share.Value(s.last.Load()) }

// note notes a request that AWS accepted.
func (s *scalable) note(desired int, answer middleware.Metadata) {
	now := time.Now()
	s.last.Store(&request{desired: desired, at: now, served: servedAt(answer, now).Truncate(time.Second)})
}

// refuseOwned returns an error that says who else sets the number, looking for
// what that may be. What two set, both set again and again.
func (s *scalable) refuseOwned(ctx context.Context, op, what string) error {
	if s.allowOthers {
		return nil
	}
	owner, err := s.owner.Get(ctx, struct{}{}, time.Time{})
	switch {
	case err != nil:
		return s.failure(ctx, op+": look for "+what+" of it (allow_other_owners: true does without)", err)
	case owner != "":
		s.owner.Forget(struct{}{}) // a refusal ends with its reason
		return target.Errorf(target.KindPermanent, op, "%s, or set allow_other_owners", owner)
	}
	return nil
}

// pages reads all pages of an operation's answer. in keeps at token what its next
// page is asked for with, which read takes from a page.
func pages[In, Out any](ctx context.Context, operation call[In, Out], in *In, token **string, read func(*Out) (next *string, err error)) error {
	for {
		page, err := operation(ctx, in)
		if err != nil {
			return err
		}
		next, err := read(page)
		if err != nil || share.Value(next) == "" {
			return err
		}
		*token = next
	}
}
