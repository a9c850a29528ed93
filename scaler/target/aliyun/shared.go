package aliyun

import (
	"context"
	"sync"
	"time"

	"github.com/alertscaler/alertscaler/scaler/recovery"
)

// shared is something that is read for many at once and kept for a while. All
// methods are safe for concurrent use.
type shared[T any] struct {
	fresh time.Duration
	fetch func(context.Context) (T, error)

	mu     sync.Mutex // guards what follows
	value  T
	at     time.Time // when its reading began; zero: there is none
	flight *flight[T]
}

// flight is a reading that goes on. It is given up once nobody waits for it.
type flight[T any] struct {
	waiting int // guarded by shared.mu
	cancel  context.CancelFunc
	done    chan struct{}
	value   T
	err     error
}

// get returns what is kept or, where that is too old, what is read for all who
// ask meanwhile. Whoever's ctx ends leaves, with its error.
func (s *shared[T]) get(ctx context.Context) (T, error) {
	var none T
	if err := ctx.Err(); err != nil {
		return none, err
	}
	s.mu.Lock()
	if !s.at.IsZero() && time.Since(s.at) < s.fresh {
		defer s.mu.Unlock()
		return s.value, nil
	}
	f := s.flight
	if f == nil {
		f = &flight[T]{done: make(chan struct{})}
		var all context.Context
		all, f.cancel = context.WithCancel(context.WithoutCancel(ctx))
		s.flight = f
		go s.run(all, f)
	}
	f.waiting++
	s.mu.Unlock()
	select {
	case <-f.done:
		return f.value, f.err
	case <-ctx.Done():
		s.mu.Lock()
		defer s.mu.Unlock()
		if f.waiting--; f.waiting == 0 {
			f.cancel()
			if s.flight == f {
				s.flight = nil
			}
		}
		return none, ctx.Err()
	}
}

func (s *shared[T]) run(ctx context.Context, f *flight[T]) {
	defer f.cancel()
	began := time.Now()
	f.err = recovery.Do(recovery.Reading, func() (err error) {
		f.value, err = s.fetch(ctx)
		return err
	})
	s.mu.Lock()
	if s.flight == f {
		s.flight = nil
		if f.err == nil {
			s.value, s.at = f.value, began
		}
	}
	s.mu.Unlock()
	close(f.done)
}

// invalidate makes every later get read anew: neither what is kept nor a
// reading that has begun will do.
func (s *shared[T]) invalidate() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.at, s.flight = time.Time{}, nil
}
