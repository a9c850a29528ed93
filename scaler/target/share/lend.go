package share

import "net/http"

// conns is how many connections to a host are kept.
const conns = 16

// Transport returns a transport that nobody else has. It is like
// http.DefaultTransport, and keeps more connections to a host: at the start each
// of several hundred targets has something to ask.
func Transport() *http.Transport {
	t := http.DefaultTransport.(*http.Transport).Clone()
	t.MaxIdleConnsPerHost = conns
	return t
}

// Lend is Pool.Get, for targets that make their calls within their own life: it
// returns the client and what gives it back. The key says itself what the content
// of its files is, see target.Files.
func Lend[K interface {
	comparable
	FilesSum() string
}, C any](p *Pool[K, C], key K, build func() (C, error), end func(C)) (client C, release func(), err error) {
	lease, err := p.get(identity[K]{key, key.FilesSum()}, build, end)
	if err != nil {
		return client, nil, err
	}
	return lease.Client, lease.Close, nil
}

// Use is Lend, for what build makes of the key alone, without fail.
func (p *Pool[K, C]) Use(key K, build func() C) (client C, release func()) {
	lease, err := p.get(identity[K]{key: key}, func() (C, error) { return build(), nil }, nil)
	if err != nil {
		panic(err) // build did, in another goroutine
	}
	return lease.Client, lease.Close
}

// OnClose makes whatever embeds it a target.Closer: it is called by Close.
type OnClose func()

// Close implements target.Closer.
func (f OnClose) Close() error {
	f()
	return nil
}
