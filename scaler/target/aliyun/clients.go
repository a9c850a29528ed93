package aliyun

import (
	"cmp"
	"net/http"
	"sync"
	"time"

	"github.com/alertscaler/alertscaler/scaler/target"
)

// How old what is shared may be, and how patient we are.
const (
	// snapshotAge is how old a snapshot of the groups may be.
	snapshotAge = 2 * time.Second
	// alarmsAge is how old the list of event-triggered tasks may be.
	alarmsAge = time.Minute
	// followEvery is how often the activities of a group with an expected
	// number are looked at, while it does not have that number.
	followEvery = 10 * time.Second
	// showsWithin is how long a group may take to show what its activity, or a
	// request, has done.
	showsWithin = 30 * time.Second
)

// Clients builds one client an account and region, however many targets there
// are. The zero value is ready; all methods are safe for concurrent use.
type Clients struct {
	mu   sync.Mutex
	open map[Access]*sharedAccount

	// Shorter in tests.
	snapshotAge, followEvery, showsWithin time.Duration
}

type sharedAccount struct {
	*account
	users int
}

// NewConfig returns an aliyun_ess configuration with its defaults.
func (c *Clients) NewConfig() target.Config {
	return &Config{Access: defaultAccess(), clients: c}
}

// NewDiscoveryConfig returns a configuration of a discovery with its defaults.
func (c *Clients) NewDiscoveryConfig() target.DiscoveryConfig {
	return &DiscoveryConfig{Access: defaultAccess(), clients: c}
}

// get returns the client of an account and region, and the function that gives
// it back. Nothing is dialed. override, where not nil, makes the requests, and
// such a client is never shared.
func (c *Clients) get(a Access, override *http.Client) (*account, func(), error) {
	if c == nil {
		c = new(Clients)
	}
	if override != nil {
		acc, err := c.build(a, override)
		return acc, func() {}, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	s, ok := c.open[a]
	if !ok {
		t := http.DefaultTransport.(*http.Transport).Clone()
		t.MaxIdleConnsPerHost = 16
		acc, err := c.build(a, &http.Client{Transport: t})
		if err != nil {
			return nil, nil, err
		}
		s = &sharedAccount{account: acc}
		if c.open == nil {
			c.open = make(map[Access]*sharedAccount)
		}
		c.open[a] = s
	}
	s.users++
	return s.account, sync.OnceFunc(func() { c.release(a) }), nil
}

func (c *Clients) build(a Access, client *http.Client) (*account, error) {
	s, err := newService(a, client)
	if err != nil {
		return nil, err
	}
	return newAccount(s, cmp.Or(c.snapshotAge, snapshotAge), cmp.Or(c.followEvery, followEvery), cmp.Or(c.showsWithin, showsWithin)), nil
}

func (c *Clients) release(a Access) {
	c.mu.Lock()
	defer c.mu.Unlock()
	s := c.open[a]
	if s.users--; s.users == 0 {
		delete(c.open, a)
		s.http.CloseIdleConnections()
	}
}
