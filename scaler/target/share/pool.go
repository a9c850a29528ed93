package share

import (
	"errors"
	"sync"
)

// Pool keeps one client of type C for each key and content, as long as anyone
// has a lease of it. The zero value is ready; all methods are safe for
// concurrent use.
type Pool[K comparable, C any] struct {
	mu   sync.Mutex
	open map[identity[K]]*client[C]
}

// identity is all that makes two clients different.
type identity[K comparable] struct {
	key     K
	content string
}

// client is one that is lent.
type client[C any] struct {
	made  sync.Once
	value C
	err   error
	users int // leases, and calls in flight; guarded by the pool's mu
}

// errNotMade is what there is of a client whose build ended in a panic.
var errNotMade = errors.New("the client could not be made")

// Get returns a lease of the client of this key and content. Where there is
// none, build makes it, and end, which may be nil, ends it once its last lease
// is closed and its last call has returned. build may take its time: whoever
// wants another client does not wait for it. What build refused, the next Get
// tries again.
func (p *Pool[K, C]) Get(key K, content Sum, build func() (C, error), end func(C)) (*Lease[C], error) {
	return p.get(identity[K]{key, content.String()}, build, end)
}

func (p *Pool[K, C]) get(id identity[K], build func() (C, error), end func(C)) (*Lease[C], error) {
	p.mu.Lock()
	c, ok := p.open[id]
	if !ok {
		c = new(client[C])
		if p.open == nil {
			p.open = make(map[identity[K]]*client[C])
		}
		p.open[id] = c
	}
	c.users++
	p.mu.Unlock()
	use := func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		c.users++
	}
	release := func() {
		if p.release(id, c) && c.err == nil && end != nil {
			end(c.value)
		}
	}
	lent := false
	defer func() {
		if !lent {
			release()
		}
	}()
	c.made.Do(func() {
		c.err = errNotMade
		c.value, c.err = build()
	})
	if c.err != nil {
		return nil, c.err
	}
	lent = true
	return &Lease[C]{Client: c.value, use: use, release: release, close: sync.OnceFunc(release)}, nil
}

// Len is how many clients there are.
func (p *Pool[K, C]) Len() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.open)
}

// release reports whether that was the last use of the client, which then is in
// the pool no more.
func (p *Pool[K, C]) release(id identity[K], c *client[C]) (last bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if c.users--; c.users > 0 {
		return false
	}
	delete(p.open, id)
	return true
}

// Lease is one user's part in a client.
type Lease[C any] struct {
	// Client may be used until the lease is closed; longer by calls that Use
	// was called for.
	Client C

	use, release, close func()
}

// Use keeps the client from ending until done is called, once: for a call that
// may outlive the lease. It must be called before Close.
func (l *Lease[C]) Use() (done func()) {
	l.use()
	return sync.OnceFunc(l.release)
}

// Close gives the client back. Closing twice is closing once.
func (l *Lease[C]) Close() { l.close() }

// Alone is a lease of a client that nobody shares.
func Alone[C any](value C, end func(C)) *Lease[C] {
	var p Pool[struct{}, C]
	l, _ := p.Get(struct{}{}, Sum{}, func() (C, error) { return value, nil }, end)
	return l
}
