package aws

import (
	"sync"
	"time"

	awsmiddleware "github.com/aws/aws-sdk-go-v2/aws/middleware"
	"github.com/aws/smithy-go/middleware"

	"github.com/alertscaler/alertscaler/scaler/target/share"
)

const (
	// freshFor is how long what was read counts as read just now.
	freshFor = 2 * time.Second
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

// key names a group, or a service of a cluster.
type key struct{ cluster, name string }

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

// scalable is what targets of both kinds have.
type scalable struct {
	*account
	share.OnClose
	allowOthers   bool
	failureStands time.Duration

	// calls has one change at a time: what was asked for last is then what was
	// accepted last, and no two take more away than one of them was to.
	calls share.Lock

	mu        sync.Mutex // guards what follows
	last      request
	unownedAt time.Time // when nobody else was last seen to set the number
}

func (s *scalable) lastRequest() request {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.last
}

// ownable reports whether it is to be asked who else sets the number.
func (s *scalable) ownable() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return !s.allowOthers && time.Since(s.unownedAt) >= unownedFor
}

// unowned notes that nobody else does.
func (s *scalable) unowned() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.unownedAt = time.Now()
}

// value is what p points at, or zero.
func value[T any](p *T) (v T) {
	if p != nil {
		v = *p
	}
	return v
}
