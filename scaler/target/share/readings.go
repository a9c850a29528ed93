package share

import (
	"context"
	"maps"
	"sync"
	"time"

	"github.com/alertscaler/alertscaler/scaler/recovery"
)

// fetchTimeout bounds a call of Fetch: nobody in particular may wait for it.
const fetchTimeout = time.Minute

// Readings reads things for many at once. Whoever needs one that is being read
// waits for that, what was read is good for a while, and one call may read
// several. It is not x/sync/singleflight, which has one key a call, and goes on
// with a call that nobody waits for any longer.
//
// The fields are set before the first call. All methods are safe for concurrent
// use.
type Readings[K comparable, V any] struct {
	// Fetch reads things, PerCall at most. Those that do not exist are absent
	// from what it returns. Its context has the values of one caller's and no
	// caller's end: it ends once nobody waits any longer, and after a minute. A
	// panic in it is an error of those that wait.
	Fetch func(ctx context.Context, keys []K) (map[K]V, error)
	// PerCall is how many things one call reads; below 2 it reads one.
	PerCall int
	// Together reports whether one call may read both; nil: any two.
	Together func(a, b K) bool
	// Age is how long what was read is good for, from when its reading began;
	// 0: only whoever waits for the reading has it.
	Age time.Duration

	mu     sync.Mutex
	things map[K]*thing[K, V]
}

// thing is one that is read. It is kept as long as it has users, is being read,
// or was read a moment ago.
type thing[K comparable, V any] struct {
	users   int
	value   V
	began   time.Time // when the call began that read the value; zero: none did
	running *flight[K, V]
}

// flight is a call under way.
type flight[K comparable, V any] struct {
	keys    []K
	began   time.Time
	waiting int // guarded by Readings.mu
	cancel  context.CancelFunc
	// Set before done is closed.
	values map[K]V
	err    error
	done   chan struct{}
}

// Only returns the Fetch of a Readings whose calls read one thing each.
func Only[K comparable, V any](fetch func(context.Context, K) (V, error)) func(context.Context, []K) (map[K]V, error) {
	return func(ctx context.Context, keys []K) (map[K]V, error) {
		v, err := fetch(ctx, keys[0])
		return map[K]V{keys[0]: v}, err
	}
}

// Use has the thing read with others, where these are, until the function that
// it returns is called.
func (r *Readings[K, V]) Use(key K) (release func()) {
	r.mu.Lock()
	defer r.mu.Unlock()
	t := r.thing(key)
	t.users++
	return sync.OnceFunc(func() {
		r.mu.Lock()
		defer r.mu.Unlock()
		if t.users--; t.users == 0 {
			delete(r.things, key)
		}
	})
}

// Get returns a thing as it was no longer ago than Age, and not before since;
// the zero value where it does not exist. What it returns is shared and must not
// be changed. It returns with ctx's error once that ends.
func (r *Readings[K, V]) Get(ctx context.Context, key K, since time.Time) (V, error) {
	var none V
	if err := ctx.Err(); err != nil {
		return none, err
	}
	for {
		r.mu.Lock()
		t := r.thing(key)
		if !r.old(t) && !t.began.Before(since) {
			defer r.mu.Unlock()
			return t.value, nil
		}
		if t.running == nil {
			r.start(ctx, key)
		}
		f := t.running
		f.waiting++
		r.mu.Unlock()
		select {
		case <-f.done:
		case <-ctx.Done():
			r.leave(f)
			return none, ctx.Err()
		}
		// Of those that need it younger than this one, the first begins another.
		if !f.began.Before(since) {
			return f.values[key], f.err
		}
	}
}

// Forget makes the next Get read the thing anew: it was changed, or may have
// been. Neither what is known nor a reading that has begun will do.
func (r *Readings[K, V]) Forget(key K) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if t, ok := r.things[key]; ok {
		t.began, t.running = time.Time{}, nil
		r.sweep()
	}
}

// Len is how many things are in use, being read, or known.
func (r *Readings[K, V]) Len() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.things)
}

// thing is the one of a key. r.mu is held.
func (r *Readings[K, V]) thing(key K) *thing[K, V] {
	t, ok := r.things[key]
	if !ok {
		t = new(thing[K, V])
		if r.things == nil {
			r.things = make(map[K]*thing[K, V])
		}
		r.things[key] = t
	}
	return t
}

func (r *Readings[K, V]) old(t *thing[K, V]) bool {
	return t.began.IsZero() || time.Since(t.began) >= r.Age
}

// sweep drops the things that nobody has any use for. r.mu is held.
func (r *Readings[K, V]) sweep() {
	maps.DeleteFunc(r.things, func(_ K, t *thing[K, V]) bool {
		return t.users == 0 && t.running == nil && r.old(t)
	})
}

// start begins to read a thing, and with it all others in use that are old.
// r.mu is held.
func (r *Readings[K, V]) start(ctx context.Context, first K) {
	ctx = context.WithoutCancel(ctx)
	keys := []K{first}
	for k, t := range r.things {
		if r.PerCall > 1 && k != first && t.users > 0 && t.running == nil && r.old(t) && (r.Together == nil || r.Together(first, k)) {
			keys = append(keys, k)
		}
	}
	most := max(1, r.PerCall)
	for len(keys) > 0 {
		n := min(len(keys), most)
		r.fly(ctx, keys[:n:n])
		keys = keys[n:]
	}
}

// fly reads things with one call. r.mu is held.
func (r *Readings[K, V]) fly(ctx context.Context, keys []K) {
	ctx, cancel := context.WithTimeout(ctx, fetchTimeout)
	f := &flight[K, V]{keys: keys, began: time.Now(), cancel: cancel, done: make(chan struct{})}
	for _, k := range keys {
		r.things[k].running = f
	}
	go func() {
		defer cancel()
		f.err = recovery.Do(recovery.Reading, func() (err error) {
			f.values, err = r.Fetch(ctx, keys)
			return err
		})
		r.mu.Lock()
		defer r.mu.Unlock()
		r.land(f)
		close(f.done)
	}()
}

// land ends a flight, whose answer counts for the things that nobody has
// forgotten since. r.mu is held.
func (r *Readings[K, V]) land(f *flight[K, V]) {
	for _, k := range f.keys {
		if t, ok := r.things[k]; ok && t.running == f {
			t.running = nil
			if f.err == nil {
				t.value, t.began = f.values[k], f.began
			}
		}
	}
	r.sweep()
}

// leave gives up waiting. A flight that nobody waits for is given up too.
func (r *Readings[K, V]) leave(f *flight[K, V]) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if f.waiting--; f.waiting > 0 {
		return
	}
	f.cancel()
	for _, k := range f.keys {
		if t, ok := r.things[k]; ok && t.running == f {
			t.running = nil
		}
	}
	r.sweep()
}
