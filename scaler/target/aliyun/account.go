package aliyun

import (
	"context"
	"math"
	"slices"
	"sync"
	"time"

	"github.com/alertscaler/alertscaler/scaler/target/share"
)

// account is what the targets of one account and region share. All methods are
// safe for concurrent use.
type account struct {
	*service
	groups share.Readings[string, *seen]
	// alarms are the enabled event-triggered tasks, by group.
	alarms share.Readings[struct{}, map[string][]string]

	followEvery, showsWithin time.Duration

	mu      sync.Mutex // guards what follows
	members map[string]*member
	// known is how many groups the region had when all were last listed; 0:
	// never.
	known int
}

// seen is a group as it was read, and those activities that had been started and
// not seen to end. They were read before the group, so that what one that has
// ended did is in there, but for the API's own delay.
type seen struct {
	scalingGroup
	activities map[string]activity
}

func newAccount(s *service, fresh, followEvery, showsWithin time.Duration) *account {
	a := &account{service: s, followEvery: followEvery, showsWithin: showsWithin, members: make(map[string]*member)}
	a.groups.Fetch, a.groups.PerCall, a.groups.Age = a.fetch, math.MaxInt, fresh
	a.alarms.Age = alarmsAge
	a.alarms.Fetch = share.Only(func(ctx context.Context, _ struct{}) (map[string][]string, error) { return s.scalers(ctx) })
	return a
}

// join makes a group one of those that are read, until the returned function is
// called.
func (a *account) join(id string) (*member, func()) {
	a.mu.Lock()
	defer a.mu.Unlock()
	m, ok := a.members[id]
	if !ok {
		m = &member{showsWithin: a.showsWithin}
		a.members[id] = m
	}
	m.users++
	unuse := a.groups.Use(id)
	return m, sync.OnceFunc(func() {
		unuse()
		a.mu.Lock()
		defer a.mu.Unlock()
		if m.users--; m.users == 0 {
			delete(a.members, id)
		}
	})
}

// fetch reads groups in as few calls as it can: by their IDs or, where that is
// less, with all others of the region.
func (a *account) fetch(ctx context.Context, ids []string) (map[string]*seen, error) {
	started, known := a.wanted(ids)
	activities, err := a.activitiesByID(ctx, started)
	if err != nil {
		return nil, err
	}
	out := make(map[string]*seen, len(ids))
	add := func(groups []scalingGroup) {
		for i := range groups {
			out[groups[i].ID] = &seen{groups[i], activities}
		}
	}
	missing := slices.Sorted(slices.Values(ids))
	if calls(len(ids), idsPerCall) > max(1, calls(known, groups.size)) {
		all, err := a.allGroups(ctx)
		if err != nil {
			return nil, err
		}
		a.mu.Lock()
		a.known = len(all)
		a.mu.Unlock()
		add(all)
		// A page that others came or went before may have left some out.
		missing = slices.DeleteFunc(missing, func(id string) bool { return out[id] != nil })
	}
	rest, err := a.groupsByID(ctx, missing)
	add(rest)
	return out, err
}

// calls is how many calls n things take.
func calls(n, perCall int) int { return (n + perCall - 1) / perCall }

// wanted returns the activities to be read with these groups.
func (a *account) wanted(ids []string) (started []string, known int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, id := range ids {
		if m, ok := a.members[id]; ok {
			if activity := m.started(); activity != "" {
				started = append(started, activity)
			}
		}
	}
	slices.Sort(started)
	return started, a.known
}
