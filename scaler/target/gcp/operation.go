package gcp

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"time"

	compute "google.golang.org/api/compute/v1"

	"github.com/alertscaler/alertscaler/scaler/target"
)

// visibleWithin is how long a group may go on to show its old size once the
// operation that changed it is done.
const visibleWithin = 30 * time.Second

// retriesFor is how long a request made again is the same one, if the group is as
// it was.
const retriesFor = 2 * time.Minute

// pending is a request that was accepted and is not seen in the group yet.
type pending struct {
	operation string // its name
	to        int
	// before are the sizes that the group may still show from before, those of
	// earlier requests that were not seen either among them.
	before  []int
	deletes bool      // instances by name
	done    time.Time // when the operation was found to be done; zero: not yet
}

// hides reports whether a size that the group shows may be one from before.
func (p *pending) hides(size int) bool {
	return p.done.IsZero() || (size != p.to && slices.Contains(p.before, size) && time.Since(p.done) < visibleWithin)
}

// follow asks what has become of the operation of the last request, and returns
// that while it is on its way. A failure of it is in g.failed from then on.
func (g *group) follow(ctx context.Context, op string) (*pending, error) {
	g.mu.Lock()
	p := g.pending
	g.mu.Unlock()
	if p == nil || !p.done.IsZero() {
		return p, nil
	}
	o, err := g.client.api.operation(ctx, g.key.place, p.operation)
	if answer, ok := asAnswer(err); ok && answer.Code == http.StatusNotFound {
		// It is so old that it was forgotten.
		o, err = &compute.Operation{Status: "DONE"}, nil
	}
	if err != nil {
		return nil, failure(ctx, op+": look at operation "+p.operation, err)
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if o.Status != "DONE" || g.pending != p {
		return g.pending, nil // There may have been another request meanwhile.
	}
	g.client.forget(g.key)
	if o.Error != nil && len(o.Error.Errors) > 0 {
		g.pending, g.failed = nil, operationFailed(g.asked(p.to), p.deletes, o.Error.Errors)
	} else {
		done := *p
		done.done = time.Now()
		g.pending = &done
	}
	return g.pending, nil
}

// operationFailed is the error of an operation that was accepted and failed. One
// that was to delete instances by name fails where one of them has gone by
// itself: that is a conflict, to be tried again with those that are there.
func operationFailed(op string, deletes bool, errs []*compute.OperationErrorErrors) error {
	known := func(e *compute.OperationErrorErrors) bool { _, ok := codes[e.Code]; return ok }
	worst := errs[max(0, slices.IndexFunc(errs, known))]
	k, ok := codes[worst.Code]
	switch {
	case !ok:
		k = target.KindTemporary
	case deletes && (k == target.KindNotFound || k == target.KindPermanent):
		k = target.KindConflict
	}
	return target.Errorf(k, op, "the operation failed: %s", coded(worst.Code, worst.Message))
}

// coded renders a code and what Google says beside it.
func coded(code, message string) string {
	switch {
	case message == "":
		return code
	case code == "":
		return fmt.Sprintf("%.300s", message)
	}
	return fmt.Sprintf("%s: %.300s", code, message)
}
