package aliyun

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"
)

// errNoGroup says that the region has no such group.
var errNoGroup = errors.New("the region has no such scaling group, or none that these credentials may see")

// account is what the targets of one account and region share. All methods are
// safe for concurrent use.
type account struct {
	*service
	groups *shared[*snapshot]
	// alarms are the enabled event-triggered tasks, by group.
	alarms *shared[map[string][]string]

	followEvery, showsWithin time.Duration

	mu      sync.Mutex // guards what follows
	members map[string]*member
	// known is how many groups the region had when all were last listed; 0:
	// never.
	known int
}

// snapshot is what was read of all groups that are somebody's.
type snapshot struct {
	asked  map[string]bool
	groups map[string]scalingGroup
	// activities are those that had been started and not seen to end. They
	// were read before the groups, so that what one that has ended did is in
	// there, but for the API's own delay.
	activities map[string]activity
}

func newAccount(s *service, fresh, followEvery, showsWithin time.Duration) *account {
	a := &account{service: s, followEvery: followEvery, showsWithin: showsWithin, members: make(map[string]*member)}
	a.groups = &shared[*snapshot]{fresh: fresh, fetch: a.fetch}
	a.alarms = &shared[map[string][]string]{fresh: alarmsAge, fetch: s.scalers}
	return a
}

// join makes a group one of those that are read, until the returned function is
// called.
func (a *account) join(id string) (*member, func()) {
	a.mu.Lock()
	defer a.mu.Unlock()
	m, ok := a.members[id]
	if !ok {
		m = &member{id: id, writing: make(chan struct{}, 1), showsWithin: a.showsWithin}
		a.members[id] = m
	}
	m.users++
	return m, sync.OnceFunc(func() {
		a.mu.Lock()
		defer a.mu.Unlock()
		if m.users--; m.users == 0 {
			delete(a.members, id)
		}
	})
}

// read returns a group, and the activities that were read before it.
func (a *account) read(ctx context.Context, id string) (scalingGroup, map[string]activity, error) {
	for {
		s, err := a.groups.get(ctx)
		if err != nil {
			return scalingGroup{}, nil, err
		}
		if !s.asked[id] {
			// It joined after this was begun.
			a.groups.invalidate()
			continue
		}
		g, ok := s.groups[id]
		if !ok {
			return scalingGroup{}, nil, errNoGroup
		}
		return g, s.activities, nil
	}
}

// fetch reads all groups that are somebody's, in as few calls as it can: by
// their IDs or, where that is less, with all others of the region.
func (a *account) fetch(ctx context.Context) (*snapshot, error) {
	ids, started, known := a.wanted()
	s := &snapshot{asked: make(map[string]bool, len(ids)), groups: make(map[string]scalingGroup, len(ids))}
	for _, id := range ids {
		s.asked[id] = true
	}
	var err error
	if s.activities, err = a.activitiesByID(ctx, started); err != nil {
		return nil, err
	}
	missing := ids
	if calls(len(ids), idsPerCall) > max(1, calls(known, perPage)) {
		all, err := a.allGroups(ctx)
		if err != nil {
			return nil, err
		}
		a.learn(len(all))
		s.add(all)
		// A page that others came or went before may have left some out.
		missing = slices.DeleteFunc(slices.Clone(ids), func(id string) bool { _, ok := s.groups[id]; return ok })
	}
	rest, err := a.groupsByID(ctx, missing)
	if err != nil {
		return nil, err
	}
	s.add(rest)
	return s, nil
}

func (s *snapshot) add(groups []scalingGroup) {
	for i := range groups {
		if s.asked[groups[i].id] {
			s.groups[groups[i].id] = groups[i]
		}
	}
}

// calls is how many calls n things take.
func calls(n, perCall int) int { return (n + perCall - 1) / perCall }

// wanted returns the IDs of the groups and of the activities to be read.
func (a *account) wanted() (ids, started []string, known int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for id, m := range a.members {
		ids = append(ids, id)
		if activity := m.started(); activity != "" {
			started = append(started, activity)
		}
	}
	slices.Sort(ids)
	slices.Sort(started)
	return ids, started, a.known
}

func (a *account) learn(known int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.known = known
}
