package house

import (
	"context"
	"math"
	"sync"
	"sync/atomic"
	"time"
)

// Load sends requests to replicas as a load balancer in front of them would:
// each in turn, and once more to another where one gives no good answer. All
// methods may be called at any time.
type Load struct {
	// addresses lists the replicas that serve now, as host and port. It is
	// asked twice a second; while it fails the ones before are used.
	addresses func(context.Context) ([]string, error)

	served, failed atomic.Int64
	next           atomic.Uint64
	rate           atomic.Uint64 // bits of a float64

	mu       sync.Mutex // guards what follows
	path     func() string
	replicas []string
}

// NewLoad returns a load without requests, for the replicas at addresses.
func NewLoad(addresses func(context.Context) ([]string, error)) *Load {
	return &Load{addresses: addresses, path: func() string { return "/" }}
}

// SetRate sets how many requests are sent in a second, from now on.
func (l *Load) SetRate(perSecond float64) { l.rate.Store(math.Float64bits(perSecond)) }

// Rate is what SetRate set.
func (l *Load) Rate() float64 { return math.Float64frombits(l.rate.Load()) }

// SetPath sets what the requests ask for: path is called for each.
func (l *Load) SetPath(path func() string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.path = path
}

// Served counts the requests that a replica answered well.
func (l *Load) Served() int64 { return l.served.Load() }

// Failed counts the requests that got no good answer, from two replicas.
func (l *Load) Failed() int64 { return l.failed.Load() }

// Run sends until ctx ends, and returns once every answer is there.
func (l *Load) Run(ctx context.Context) {
	const tick = 20 * time.Millisecond
	var inFlight sync.WaitGroup
	defer inFlight.Wait()
	inFlight.Go(func() { l.discover(ctx) })
	slots := make(chan struct{}, 200)
	ticker := time.NewTicker(tick)
	defer ticker.Stop()
	for due, last := 0.0, time.Now(); ; {
		select {
		case <-ctx.Done():
			return
		case now := <-ticker.C:
			due += l.Rate() * now.Sub(last).Seconds()
			last = now
		}
		for ; due >= 1; due-- {
			select {
			case slots <- struct{}{}:
			default: // too many wait for an answer already
				l.failed.Add(1)
				continue
			}
			inFlight.Go(func() {
				defer func() { <-slots }()
				l.send(ctx)
			})
		}
	}
}

func (l *Load) send(ctx context.Context) {
	for range 2 {
		url, ok := l.pick()
		if ok && GetJSON(ctx, url, nil) == nil {
			l.served.Add(1)
			return
		}
	}
	if ctx.Err() == nil {
		l.failed.Add(1)
	}
}

func (l *Load) pick() (string, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.replicas) == 0 {
		return "", false
	}
	replica := l.replicas[l.next.Add(1)%uint64(len(l.replicas))]
	return "http://" + replica + l.path(), true
}

func (l *Load) discover(ctx context.Context) {
	for ctx.Err() == nil {
		if found, err := l.addresses(ctx); err == nil {
			l.mu.Lock()
			l.replicas = found
			l.mu.Unlock()
		}
		Sleep(ctx, 500*time.Millisecond)
	}
}
