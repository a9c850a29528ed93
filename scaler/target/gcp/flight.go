package gcp

import (
	"context"
	"sync"
	"time"

	"github.com/alertscaler/alertscaler/scaler/recovery"
)

// flights gives all who ask for the same thing at the same time the answer to
// one request, and keeps an answer for a while. All methods are safe for
// concurrent use.
type flights[K comparable, V any] struct {
	// keep is how long an answer is good for, from when it was asked for.
	keep time.Duration

	mu   sync.Mutex // guards what follows
	open map[K]*flight[V]
	done map[K]answer[V]
}

// flight is a request that is under way.
type flight[V any] struct {
	landed  chan struct{} // closed once v and err are there
	v       V
	err     error
	waiting int // guarded by flights.mu; at 0 it is cancelled
	cancel  context.CancelFunc
}

type answer[V any] struct {
	v  V
	at time.Time // when it was asked for
}

// get returns the answer to fetch of a key, one that somebody got a moment ago
// if there is one. fetch runs until nobody waits for it any more.
func (f *flights[K, V]) get(ctx context.Context, key K, fetch func(context.Context) (V, error)) (V, error) {
	var none V
	if err := ctx.Err(); err != nil {
		return none, err
	}
	f.mu.Lock()
	if a, ok := f.done[key]; ok && time.Since(a.at) < f.keep {
		f.mu.Unlock()
		return a.v, nil
	}
	fl, ok := f.open[key]
	if !ok {
		fl = f.start(ctx, key, fetch)
	}
	fl.waiting++
	f.mu.Unlock()
	defer f.leave(key, fl)
	select {
	case <-fl.landed:
		return fl.v, fl.err
	case <-ctx.Done():
		return none, ctx.Err()
	}
}

// start begins a flight, with f.mu held.
func (f *flights[K, V]) start(ctx context.Context, key K, fetch func(context.Context) (V, error)) *flight[V] {
	if f.open == nil {
		f.open, f.done = make(map[K]*flight[V]), make(map[K]answer[V])
	}
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	fl := &flight[V]{landed: make(chan struct{}), cancel: cancel}
	f.open[key] = fl
	asked := time.Now()
	go func() {
		defer cancel()
		fl.err = recovery.Do(recovery.Reading, func() (err error) {
			fl.v, err = fetch(ctx)
			return err
		})
		f.mu.Lock()
		defer f.mu.Unlock()
		// A flight that was forgotten has an answer from before whatever made
		// it so.
		if f.open[key] == fl {
			delete(f.open, key)
			if fl.err == nil && f.keep > 0 {
				f.sweep(asked)
				f.done[key] = answer[V]{v: fl.v, at: asked}
			}
		}
		close(fl.landed)
	}()
	return fl
}

// sweep drops answers that are too old, with f.mu held.
func (f *flights[K, V]) sweep(now time.Time) {
	for k, a := range f.done {
		if now.Sub(a.at) >= f.keep {
			delete(f.done, k)
		}
	}
}

// leave is said by whoever waited.
func (f *flights[K, V]) leave(key K, fl *flight[V]) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if fl.waiting--; fl.waiting > 0 {
		return
	}
	select {
	case <-fl.landed:
	default:
		fl.cancel()
		if f.open[key] == fl {
			delete(f.open, key)
		}
	}
}

// forget makes the next get ask anew, whatever is known or under way.
func (f *flights[K, V]) forget(key K) {
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.open, key)
	delete(f.done, key)
}
