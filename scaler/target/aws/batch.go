package aws

import (
	"context"
	"sync"
	"time"

	"github.com/alertscaler/alertscaler/scaler/recovery"
)

const (
	// freshFor is how long what was read counts as read just now.
	freshFor = 2 * time.Second
	// callTimeout bounds a call that nobody in particular waits for.
	callTimeout = 30 * time.Second
)

// key names a group, or a service of a cluster.
type key struct{ cluster, name string }

// batch reads things of one kind in as few calls as there can be: whoever
// needs one has all of those read whose last reading is old, and whoever comes
// while they are being read waits for that. All methods are safe for
// concurrent use.
type batch[V any] struct {
	// fetch reads some things of one cluster; those that do not exist are
	// absent from what it returns.
	fetch   func(ctx context.Context, keys []key) (map[key]*V, error)
	perCall int
	fresh   time.Duration

	mu     sync.Mutex // guards what follows
	things map[key]*thing[V]
}

// thing is one that is read, as long as it has users.
type thing[V any] struct {
	users   int
	value   *V        // nil: it does not exist
	began   time.Time // when the call began that read it; zero: none did
	written time.Time // what began to be read before that is of no use
	running *flight[V]
}

// flight is a call under way.
type flight[V any] struct {
	began     time.Time
	cancel    context.CancelFunc
	done      chan struct{}
	waiters   int  // guarded by the batch
	abandoned bool // guarded by the batch; all that waited have left
	// Set before done is closed.
	values map[key]*V
	err    error
}

func newBatch[V any](fetch func(context.Context, []key) (map[key]*V, error), perCall int) *batch[V] {
	return &batch[V]{fetch: fetch, perCall: perCall, fresh: freshFor, things: make(map[key]*thing[V])}
}

// use has the thing read with the others until the returned function is called.
func (b *batch[V]) use(k key) (release func()) {
	b.mu.Lock()
	defer b.mu.Unlock()
	t, ok := b.things[k]
	if !ok {
		t = &thing[V]{}
		b.things[k] = t
	}
	t.users++
	return sync.OnceFunc(func() {
		b.mu.Lock()
		defer b.mu.Unlock()
		if t.users--; t.users == 0 {
			delete(b.things, k)
		}
	})
}

// wrote says that the thing was changed, or may have been: whatever is read
// from now on must have begun to be read after that.
func (b *batch[V]) wrote(k key) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if t, ok := b.things[k]; ok {
		t.written = time.Now()
	}
}

// read returns a thing in use as it was so long ago as counts as fresh, or later, and not before
// since; nil where it does not exist. What it returns is shared and read-only.
func (b *batch[V]) read(ctx context.Context, k key, since time.Time) (*V, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	b.mu.Lock()
	t, ok := b.things[k]
	if !ok {
		b.mu.Unlock()
		panic("aws: read of a thing that is not in use")
	}
	if t.written.After(since) {
		since = t.written
	}
	if !t.began.IsZero() && !t.began.Before(since) && time.Since(t.began) < b.fresh {
		defer b.mu.Unlock()
		return t.value, nil
	}
	f := t.running
	if f == nil || f.abandoned || f.began.Before(since) {
		f = b.start(k)
	}
	f.waiters++
	b.mu.Unlock()

	select {
	case <-f.done:
		return f.values[k], f.err
	case <-ctx.Done():
		b.mu.Lock()
		defer b.mu.Unlock()
		if f.waiters--; f.waiters == 0 {
			f.abandoned = true
			f.cancel()
		}
		return nil, ctx.Err()
	}
}

// start begins to read a thing, and with it all others that are old, and
// returns the flight that has that thing. b.mu is held.
func (b *batch[V]) start(first key) *flight[V] {
	old := map[string][]key{first.cluster: {first}}
	for k, t := range b.things {
		if k != first && t.running == nil && (t.began.Before(t.written) || time.Since(t.began) >= b.fresh) {
			old[k.cluster] = append(old[k.cluster], k)
		}
	}
	var its *flight[V]
	for _, keys := range old {
		for len(keys) > 0 {
			n := min(len(keys), b.perCall)
			f := b.launch(keys[:n])
			if keys[0] == first {
				its = f
			}
			keys = keys[n:]
		}
	}
	return its
}

// launch reads things in one call. b.mu is held.
func (b *batch[V]) launch(keys []key) *flight[V] {
	// The call is not one caller's, so that no caller's end is its own.
	ctx, cancel := context.WithTimeout(context.Background(), callTimeout)
	f := &flight[V]{began: time.Now(), cancel: cancel, done: make(chan struct{})}
	for _, k := range keys {
		b.things[k].running = f
	}
	go func() {
		defer cancel()
		f.err = recovery.Do(recovery.Reading, func() (err error) {
			f.values, err = b.fetch(ctx, keys)
			return err
		})
		b.mu.Lock()
		defer b.mu.Unlock()
		for _, k := range keys {
			t, ok := b.things[k]
			if !ok {
				continue
			}
			if t.running == f {
				t.running = nil
			}
			if f.err == nil && f.began.After(t.began) {
				t.value, t.began = f.values[k], f.began
			}
		}
		close(f.done)
	}()
	return f
}
