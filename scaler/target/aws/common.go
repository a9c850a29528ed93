package aws

import (
	"context"
	"time"

	awsmiddleware "github.com/aws/aws-sdk-go-v2/aws/middleware"
	"github.com/aws/smithy-go/middleware"
)

const (
	// visibleWithin is how long AWS may take to show a number that it
	// accepted.
	visibleWithin = 10 * time.Second
	// unownedFor is how long it is believed that nobody else sets the number.
	// A refusal is not kept: it ends with its reason.
	unownedFor = time.Minute
	// failureStands is how long nothing better may follow a failure until it
	// counts: in the next zone it may work.
	failureStands = 20 * time.Second
)

// request is one that AWS accepted.
type request struct {
	desired int
	at      time.Time // by our clock
	served  time.Time // by AWS' clock, which has whole seconds
}

// accepted notes a request by the metadata of its answer.
func accepted(desired int, m middleware.Metadata) request {
	now := time.Now()
	return request{desired: desired, at: now, served: servedAt(m, now).Truncate(time.Second)}
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

// mutex is a lock that does not outlast its caller's patience.
type mutex chan struct{}

func newMutex() mutex { return make(mutex, 1) }

func (m mutex) lock(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	select {
	case m <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (m mutex) unlock() { <-m }

// value is what p points at, or zero.
func value[T any](p *T) (v T) {
	if p != nil {
		v = *p
	}
	return v
}
