package azure

import (
	"context"
	"strings"
	"sync"
	"time"

	"github.com/alertscaler/alertscaler/scaler/recovery"
	"github.com/alertscaler/alertscaler/scaler/target"
)

const (
	// listedFor is how long one list serves all targets.
	listedFor = 2 * time.Second
	// listTimeout bounds a list that nobody's deadline does.
	listTimeout = time.Minute
	// refusedFor is how long a list that is not for us is not asked for again.
	refusedFor = 10 * time.Minute
	// groupsApart is up to how many resource groups are listed one by one;
	// with more it is the whole subscription.
	groupsApart = 3
)

// sets are scale sets by the lower case of group/name.
type sets map[string]*setModel

func setKey(group, name string) string { return strings.ToLower(group + "/" + name) }

// listing is the list of one scope's scale sets, fetched once for all that ask
// at the same time, and again for those that need it younger.
type listing struct {
	mu     sync.Mutex // guards what is below
	flight *flight    // the one under way
	last   *flight    // the last one that came to something
}

// flight is one list. Its fields but waiters are set before done is closed, and
// never after; waiters is guarded by the listing's mu.
type flight struct {
	started time.Time
	done    chan struct{}
	cancel  context.CancelFunc
	sets    sets
	err     error
	waiters int
}

// get returns a list that began after notBefore and is not older than
// listedFor. load is given a context that ends when nobody waits any more.
func (l *listing) get(ctx context.Context, notBefore time.Time, load func(context.Context) (sets, error)) (sets, error) {
	for {
		l.mu.Lock()
		if f := l.last; f != nil && f.started.After(notBefore) && time.Since(f.started) < listedFor {
			l.mu.Unlock()
			return f.sets, nil
		}
		f := l.flight
		if f == nil {
			f = l.start(load)
		}
		f.waiters++
		l.mu.Unlock()
		select {
		case <-f.done:
		case <-ctx.Done():
			l.leave(f)
			return nil, ctx.Err()
		}
		if f.started.After(notBefore) {
			return f.sets, f.err
		}
	}
}

// start is called with mu held.
func (l *listing) start(load func(context.Context) (sets, error)) *flight {
	ctx, cancel := context.WithTimeout(context.Background(), listTimeout)
	f := &flight{started: time.Now(), done: make(chan struct{}), cancel: cancel}
	l.flight = f
	go func() {
		defer cancel()
		var s sets
		err := recovery.Do(recovery.Reading, func() (err error) {
			s, err = load(noteErrors(ctx))
			return err
		})
		l.mu.Lock()
		defer l.mu.Unlock()
		f.sets, f.err = s, err
		if l.flight == f {
			l.flight = nil
			if err == nil {
				l.last = f
			}
		}
		close(f.done)
	}()
	return f
}

// leave gives up waiting; a flight that nobody waits for is given up too.
func (l *listing) leave(f *flight) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if f.waiters--; f.waiters == 0 && l.flight == f {
		l.flight = nil
		f.cancel()
	}
}

// join says that a target of a resource group is there, until the returned
// function is called.
func (a *account) join(group string) (leave func()) {
	group = strings.ToLower(group)
	a.mu.Lock()
	defer a.mu.Unlock()
	a.groups[group]++
	return sync.OnceFunc(func() {
		a.mu.Lock()
		defer a.mu.Unlock()
		if a.groups[group]--; a.groups[group] == 0 {
			delete(a.groups, group)
		}
	})
}

// scopes are the lists to read a target of the group from, best first: that of
// the subscription has the empty name.
func (a *account) scopes(group string) []string {
	a.mu.Lock()
	defer a.mu.Unlock()
	var out []string
	wanted := []string{strings.ToLower(group)}
	if len(a.groups) > groupsApart {
		wanted = []string{"", wanted[0]}
	}
	for _, s := range wanted {
		if time.Since(a.refused[s]) >= refusedFor {
			out = append(out, s)
		}
	}
	return out
}

// list returns the scale sets of a scope, as a list that began after notBefore
// has them.
func (a *account) list(ctx context.Context, op, scope string, notBefore time.Time) (sets, error) {
	a.mu.Lock()
	l, ok := a.listings[scope]
	if !ok {
		l = new(listing)
		a.listings[scope] = l
	}
	a.mu.Unlock()
	all, err := l.get(ctx, notBefore, func(ctx context.Context) (sets, error) { return a.load(ctx, scope) })
	if err != nil {
		return nil, failure(ctx, op, err)
	}
	return all, nil
}

func (a *account) load(ctx context.Context, scope string) (sets, error) {
	op, path := "list the scale sets of the subscription", a.root
	if scope != "" {
		op, path = "list the scale sets of resource group "+scope, a.groupPath(scope)
	}
	all, err := list[setModel](ctx, a, op, a.url(path+scaleSetsPath, computeVersion, nil))
	if err != nil {
		return nil, err
	}
	out := make(sets, len(all))
	for i := range all {
		group, ok := groupOf(all[i].ID)
		if !ok {
			return nil, target.Errorf(target.KindTemporary, op, "%q is no ID of a scale set", all[i].ID)
		}
		out[setKey(group, all[i].Name)] = &all[i]
	}
	return out, nil
}

// groupOf is the resource group in an ID, which comes in any case.
func groupOf(id string) (string, bool) {
	parts := strings.Split(id, "/")
	for i, p := range parts[:max(0, len(parts)-1)] {
		if strings.EqualFold(p, "resourceGroups") && parts[i+1] != "" {
			return parts[i+1], true
		}
	}
	return "", false
}

// find reads a scale set, from a list where it is on one. It is asked for by
// itself where no list is for us, and where it is not on the list: that may not
// know it yet, or leave out what is not ours.
func (a *account) find(ctx context.Context, op, group, name string, notBefore time.Time) (*setModel, error) {
	for _, scope := range a.scopes(group) {
		all, err := a.list(ctx, op, scope, notBefore)
		switch {
		case forbidden(err):
			a.mu.Lock()
			a.refused[scope] = time.Now()
			a.mu.Unlock()
			continue
		case err != nil:
			return nil, err
		}
		if m, ok := all[setKey(group, name)]; ok {
			return m, nil
		}
		break
	}
	return a.set(ctx, op, group, name)
}
