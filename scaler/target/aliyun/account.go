package aliyun

import (
	"context"
	"math"
	"slices"
	"sync/atomic"
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

	members share.Pool[string, *member]
	// known is how many groups the region had when all were last listed; 0:
	// never.
	known atomic.Int64
}

// seen is a group as it was read, and those activities that had been started and
// not seen to end. They were read before the group, so that what one that has
// ended did is in there, but for the API's own delay.
type seen struct {
	scalingGroup
	activities map[string]activity
}

func newAccount(s *service, fresh, followEvery, showsWithin time.Duration) *account {
	a := &account{service: s, followEvery: followEvery, showsWithin: showsWithin}
	a.groups.Fetch, a.groups.PerCall, a.groups.Age = a.fetch, math.MaxInt, fresh
	a.alarms.Age = alarmsAge
	a.alarms.Fetch = share.Only(func(ctx context.Context, _ struct{}) (map[string][]string, error) { return s.scalers(ctx) })
	return a
}

// join makes a group one of those that are read, until leave is called.
func (a *account) join(id string) (m *member, leave func()) {
	unuse := a.groups.Use(id)
	m, release := a.member(id)
	return m, func() { unuse(); release() }
}

func (a *account) member(id string) (m *member, release func()) {
	return a.members.Use(id, func() *member { return &member{showsWithin: a.showsWithin} })
}

// fetch reads groups in as few calls as it can: by their IDs or, where that is
// less, with all others of the region.
func (a *account) fetch(ctx context.Context, ids []string) (map[string]*seen, error) {
	activities, err := a.activitiesByID(ctx, a.started(ids))
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
	if calls(len(ids), idsPerCall) > max(1, calls(int(a.known.Load()), groups.size)) {
		all, err := a.allGroups(ctx)
		if err != nil {
			return nil, err
		}
		a.known.Store(int64(len(all)))
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

// started returns the activities to be read with these groups.
func (a *account) started(ids []string) (started []string) {
	for _, id := range ids {
		m, release := a.member(id)
		if activity := m.started(); activity != "" {
			started = append(started, activity)
		}
		release()
	}
	slices.Sort(started)
	return started
}
