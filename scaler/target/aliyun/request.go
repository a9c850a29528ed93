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
	id          string
	users       int        // guarded by account.mu
	writing     share.Lock // held while the group is changed
	showsWithin time.Duration

	mu    sync.Mutex // guards what follows
	last  *request   // nil: none, or someone else has changed the group since
	token share.Token
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
	m.mu.Lock()
	defer m.mu.Unlock()
	m.last = r
	m.token.Answered()
}

// tokenFor returns the token of a request, see share.Token.
func (m *member) tokenFor(wanted string) string {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.token.For(wanted)
}

// refused forgets the token of a request that was answered.
func (m *member) refused() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.token.Answered()
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
	return m.last != nil && slices.Contains(m.last.going, instance) && m.last.failed == nil
}

// state is the group as its target reports it, by what was read and by what was
// asked.
func (m *member) state(g *scalingGroup, activities map[string]activity) target.State {
	st := target.State{Requested: g.here(), Ready: g.serving(), Min: g.Min, Max: g.Max}
	expected := g.expected()
	if expected != nil {
		st.Requested = *expected
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	switch r := m.last; {
	case r == nil:
	case expected != nil:
		m.expected(g, activities, &st)
	case r.activity == "":
		// It had an expected number when it was asked.
		m.last = nil
	default:
		m.carriedOut(g, activities, &st)
	}
	if m.last != nil {
		st.LastChange, st.Failed = m.last.at, m.last.failed
	}
	return st
}

// expected is state for a group with an expected number. What an activity fails
// to do Auto Scaling tries again, so a failure counts until the group has its
// number. The caller holds m.mu.
func (m *member) expected(g *scalingGroup, activities map[string]activity, st *target.State) {
	r := m.last
	if st.Requested != r.desired {
		if r.shown || time.Since(r.at) > m.showsWithin {
			m.last = nil // someone has changed it
		}
		return
	}
	r.shown = true
	if a, there := activities[r.activity]; there && a.Status != activityInProgress && r.ended.IsZero() {
		r.end(a)
	}
	if g.settled(r.desired) && st.Ready >= r.desired {
		r.failed = nil
	}
}

// end notes how an activity ended.
func (r *request) end(a activity) { r.ended, r.failed = time.Now(), a.failure() }

// carriedOut is state for a group without one: what the activity brings it to,
// until that has ended, and what it left after that. The caller holds m.mu.
func (m *member) carriedOut(g *scalingGroup, activities map[string]activity, st *target.State) {
	r := m.last
	a, there := activities[r.activity]
	switch {
	case r.failed != nil:
		if g.here() != r.left {
			m.last = nil // someone has changed it
		}
		return
	case !r.ended.IsZero():
	case !there && time.Since(r.at) > neverShows:
		m.last = nil
		return
	case !there || a.Status == activityInProgress:
		st.Requested = r.desired
		return
	default:
		if r.end(a); r.failed != nil {
			r.left = g.here()
			return
		}
	}
	switch {
	case g.here() == r.desired:
		r.shown = true
	case !r.shown && time.Since(r.ended) < m.showsWithin:
		st.Requested = r.desired // the API does not show it yet
	default:
		m.last = nil
	}
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

// went notes what came of the newest activity that was started for a request,
// all being the last of the group, the newest first.
func (m *member) went(before []string, all []activity) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.last == nil || len(all) == 0 {
		return
	}
	for _, a := range all {
		if slices.Contains(before, a.ID) {
			return
		}
		if a.Status != activityInProgress {
			m.last.failed = a.failure()
			return
		}
	}
}
