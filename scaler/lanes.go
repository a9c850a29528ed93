package scaler

import (
	"sync"
	"time"
)

// waitsForOthers is how long an evaluation keeps its place. One that takes
// longer does no work: it waits for a platform or for Prometheus, and others
// need not wait with it.
const waitsForOthers = time.Second

// lanes bound how many evaluations begin at once, each lane for itself: those
// of the policies on one platform, or on the same few. A platform that hangs
// keeps those of other platforms from nothing, and those of its own for a
// moment. All methods are safe for concurrent use.
type lanes struct {
	size int

	mu sync.Mutex // guards what follows
	of map[string]chan struct{}
}

func newLanes(size int) *lanes {
	return &lanes{size: size, of: make(map[string]chan struct{})}
}

func (l *lanes) lane(name string) chan struct{} {
	l.mu.Lock()
	defer l.mu.Unlock()
	c := l.of[name]
	if c == nil {
		c = make(chan struct{}, l.size)
		l.of[name] = c
	}
	return c
}

// enter waits for a place. The caller leaves when it is done. False: stop is
// closed.
func (l *lanes) enter(name string, stop <-chan struct{}) (leave func(), ok bool) {
	places := l.lane(name)
	select {
	case <-stop:
		return nil, false
	default:
	}
	select {
	case places <- struct{}{}:
	case <-stop:
		return nil, false
	}
	free := sync.OnceFunc(func() { <-places })
	late := time.AfterFunc(waitsForOthers, free)
	return func() {
		late.Stop()
		free()
	}, true
}
