package aliyun

import (
	"slices"
	"sync"
	"time"

	"github.com/alertscaler/alertscaler/scaler/target"
	"github.com/alertscaler/alertscaler/scaler/target/share"
)

// neverShows is how long an activity that was started may not be there, until
// nobody waits for it any longer.
const neverShows = 5 * time.Minute

// member is a group that is somebody's target, and what was last asked of it by
// us. It outlives the targets of a configuration that is replaced.
type member struct {
	writing     share.Lock // held while the group is changed
	token       share.Token
	showsWithin time.Duration

	mu   sync.Mutex // guards what follows
	last *request   // nil: none, or someone else has changed the group since
}

// request is a request that was accepted.
type request struct {
	desired int
	at      time.Time
	// activity is the one that carries it out; empty where the group has an
	// expected number, and Auto Scaling starts as many as it takes.
	activity string
	// before are the activities that there were before.
	before []string
	// going are the instances that were told to go.
	going []string
	// looked is when activities were last looked for.
	looked time.Time
	// shown says that the group has shown the number: any other is someone
	// else's.
	shown bool
	// ended is when the activity was first seen to have ended.
	ended  time.Time
	failed error
	// left is what the group was left with by an activity that failed.
	left int
}

// accepted remembers a request.
func (m *member) accepted(r *request) {
	m.token.Answered()
	r.at = time.Now()
	r.looked = r.at
	m.mu.Lock()
	defer m.mu.Unlock()
	m.last = r
}

// started returns the activity that has still to be seen to end; empty: none.
func (m *member) started() string {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.last == nil || !m.last.ended.IsZero() {
		return ""
	}
	return m.last.activity
}

// going reports whether an instance has been told to go.
func (m *member) going(instance string) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.last != nil && m.last.failed == nil && slices.Contains(m.last.going, instance)
}

// state is the group as its target reports it, by what was read and by what was
// asked.
func (m *member) state(s *seen) target.State {
	st := target.State{Requested: s.here(), Ready: s.serving(), Min: s.Min, Max: s.Max}
	if expected := s.expected(); expected != nil {
		st.Requested = *expected
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	switch r := m.last; {
	case r == nil:
	case r.stands(s, &st, m.showsWithin):
		st.LastChange, st.Failed = r.at, r.failed
	default:
		m.last = nil
	}
	return st
}

// stands brings a request up to date with what was read, and has st say what is
// requested where the group does not show that. It reports whether the request
// is still the last one: someone else may have changed the group.
func (r *request) stands(s *seen, st *target.State, showsWithin time.Duration) bool {
	expects := s.expected() != nil
	if expects && st.Requested != r.desired {
		return !r.shown && time.Since(r.at) <= showsWithin
	}
	a, there := s.activities[r.activity]
	if there && a.Status != activityInProgress && r.ended.IsZero() {
		r.ended, r.failed, r.left = time.Now(), a.failure(), s.here()
	}
	switch {
	case expects:
		r.shown = true
		// What an activity fails to do Auto Scaling tries again, so a failure
		// counts until the group has its number.
		if s.settled(r.desired) && st.Ready >= r.desired {
			r.failed = nil
		}
	case r.activity == "":
		return false // it had an expected number when it was asked
	case r.failed != nil:
		return s.here() == r.left
	case r.ended.IsZero():
		if !there && time.Since(r.at) > neverShows {
			return false
		}
		st.Requested = r.desired
	case s.here() == r.desired:
		r.shown = true
	case r.shown || time.Since(r.ended) >= showsWithin:
		return false
	default:
		st.Requested = r.desired // the API does not show it yet
	}
	return true
}

// due reports whether the activities of the group are to be looked for: it has
// an expected number, which was ours, and is not there. The next time is a while
// from now.
func (m *member) due(g *scalingGroup, every time.Duration) (before []string, due bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	r, expected := m.last, g.expected()
	if r == nil || expected == nil || *expected != r.desired || g.settled(r.desired) || time.Since(r.looked) < every {
		return nil, false
	}
	r.looked = time.Now()
	return r.before, true
}

// went notes what came of the newest activity that was started for a request and
// has ended, all being the last of the group, the newest first.
func (m *member) went(before []string, all []activity) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, a := range all {
		if m.last == nil || slices.Contains(before, a.ID) {
			return
		}
		if a.Status != activityInProgress {
			m.last.failed = a.failure()
			return
		}
	}
}
