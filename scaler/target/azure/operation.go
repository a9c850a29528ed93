package azure

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"

	"github.com/alertscaler/alertscaler/scaler/target/share"
)

// operation is a long-running one that Azure accepted from this target.
type operation struct {
	poller *runtime.Poller[struct{}]
	// op says what was tried.
	op string
	// notBefore is Azure's word on when to ask again.
	notBefore time.Time
	// leaving are the IDs of instances that it deletes.
	leaving []string
}

// newOperation takes an accepted request's answer; nil where that was all.
func (a *account) newOperation(op string, res *http.Response) (*operation, error) {
	p, err := runtime.NewPoller[struct{}](res, a.arm.Pipeline(), nil)
	if err != nil || p.Done() {
		return nil, err
	}
	return &operation{poller: p, op: op, notBefore: time.Now().Add(retryAfter(res))}, nil
}

// follow asks once how the operation under way stands, unless someone does
// already or Azure said to wait. What became of one that ended is noted: it is
// over, or it failed.
func (s *scaleSet) follow(ctx context.Context, op string) error {
	s.mu.Lock()
	o := s.pending
	s.mu.Unlock()
	if o == nil || !s.polling.TryLock() {
		return nil
	}
	if time.Now().Before(o.notBefore) {
		s.polling.Unlock()
		return nil
	}
	_, err := share.Within(ctx, func(ctx context.Context) (none struct{}, err error) {
		// A poller is for one call at a time, also of one that was given up.
		defer s.polling.Unlock()
		res, err := o.poller.Poll(ctx)
		if e, ok := errors.AsType[*azcore.ResponseError](err); ok && e.StatusCode == http.StatusNotFound {
			// Azure keeps the records of operations for a while only. What is
			// read of the set says the rest.
			s.ended(ctx, o, nil)
			return none, nil
		}
		if err != nil {
			return none, err
		}
		o.notBefore = time.Now().Add(retryAfter(res))
		if o.poller.Done() {
			s.ended(ctx, o, res)
		}
		return none, nil
	})
	return failure(ctx, op+": follow the operation", err)
}

// ended notes how an operation ended, where it is still the last one; res is nil
// where nobody knows.
func (s *scaleSet) ended(ctx context.Context, o *operation, res *http.Response) {
	var failed error
	if res != nil {
		if status := statusOf(res); res.StatusCode >= http.StatusBadRequest || status == "failed" || status == "canceled" {
			failed = failure(context.WithoutCancel(ctx), o.op, runtime.NewResponseError(res))
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.pending != o {
		return
	}
	s.pending, s.failed = nil, failed
	s.asked.settle(time.Now(), failed != nil)
}

// statusOf is the state of an operation, in lower case: that of its own
// resource, or of what it was about.
func statusOf(res *http.Response) string {
	o := decoded[struct {
		Status     string `json:"status"`
		Properties struct {
			ProvisioningState string `json:"provisioningState"`
		} `json:"properties"`
	}](res)
	return strings.ToLower(cmp.Or(o.Status, o.Properties.ProvisioningState))
}

// asked is the number that this target last got accepted, and what it replaced.
// Azure may go on showing that for a while: its lists lag behind, and the
// capacity follows a deletion of instances only as that proceeds.
type asked struct {
	desired int
	until   time.Time  // zero while the operation is under way
	before  []replaced // none: nothing was asked, or someone else has asked since
}

type replaced struct {
	low, high int
	at        time.Time
}

// consistency is how long after its own write a target holds a number that it
// replaced for old news.
const consistency = 30 * time.Second

// accept notes that desired was accepted where before was the number. Where
// instances were deleted, all between the two are steps on the way.
func (a *asked) accept(now time.Time, before, desired int, deletes bool) {
	r := replaced{low: before, high: before, at: now}
	if deletes {
		r.low = desired + 1
	}
	recent := slices.DeleteFunc(a.before, func(old replaced) bool { return now.Sub(old.at) >= consistency })
	*a = asked{desired: desired, before: append(recent, r)}
}

// settle says that the operation ended. What one that failed left is whatever
// Azure says it is.
func (a *asked) settle(now time.Time, failed bool) {
	a.until = now.Add(consistency)
	if failed {
		*a = asked{}
	}
}

// requested is the number that counts, of one that was read.
func (a *asked) requested(now time.Time, read int) int {
	old := (a.until.IsZero() || now.Before(a.until)) &&
		slices.ContainsFunc(a.before, func(r replaced) bool { return r.low <= read && read <= r.high })
	switch {
	case len(a.before) == 0 || read == a.desired:
		return read
	case old:
		return a.desired
	}
	*a = asked{} // someone else's
	return read
}
