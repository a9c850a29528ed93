package gcp

import (
	"context"
	"fmt"
	"net/http"
	"sync"
	"time"

	compute "google.golang.org/api/compute/v1"
	"google.golang.org/api/googleapi"
	"google.golang.org/api/option"

	"github.com/alertscaler/alertscaler/scaler/outgoing"
)

// keep is how long what was read is good for. It is longer than a round of
// evaluations takes to start and much shorter than the time between two.
const keep = 1500 * time.Millisecond

// client asks the API, on behalf of all targets with the same credentials. All
// methods are safe for concurrent use.
type client struct {
	api   api
	close func()

	groups    flights[place, map[string]*compute.InstanceGroupManager]
	single    flights[groupKey, *compute.InstanceGroupManager]
	instances flights[groupKey, []*compute.ManagedInstance]

	mu      sync.Mutex // guards what follows
	targets map[place]int
}

type groupKey struct {
	place
	name string
}

func newClient(a Account, override *http.Client) (*client, error) {
	base := http.DefaultTransport
	if override != nil && override.Transport != nil {
		base = override.Transport
	} else if t, ok := base.(*http.Transport); ok {
		own := t.Clone()
		// Groups in flux are asked for one by one, many at a time.
		own.MaxIdleConnsPerHost = 16
		base = own
	}
	// Those who give tokens are asked with the same.
	base = outgoing.Guard(base)
	hc := &http.Client{
		Transport: authorized{next: base, tokens: newTokens(a, base)},
		// A redirected POST would come back as the answer to a GET, which the
		// client would take for consent.
		CheckRedirect: outgoing.Stay,
	}
	service, err := compute.NewService(context.Background(), option.WithHTTPClient(hc))
	if err != nil {
		return nil, fmt.Errorf("build the client: %w", err)
	}
	service.BasePath = a.endpoint() + "/compute/v1/"
	service.UserAgent = "alertscaler"
	cl := &client{api: newAPI(service), close: func() { (&http.Client{Transport: base}).CloseIdleConnections() }, targets: make(map[place]int)}
	if override != nil {
		cl.close = func() {}
	}
	cl.groups.keep, cl.single.keep, cl.instances.keep = keep, keep, keep
	return cl, nil
}

// join says that there is a target in the place, until the function that it
// returns is called.
func (c *client) join(p place) func() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.targets[p]++
	return sync.OnceFunc(func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		if c.targets[p]--; c.targets[p] == 0 {
			delete(c.targets, p)
		}
	})
}

// group reads a group: it alone where there is one target in its place, else
// all of the place together. What it returns is shared and must not be changed.
func (c *client) group(ctx context.Context, p place, name string) (*compute.InstanceGroupManager, error) {
	c.mu.Lock()
	alone := c.targets[p] < 2
	c.mu.Unlock()
	if alone {
		return c.single.get(ctx, groupKey{p, name}, func(ctx context.Context) (*compute.InstanceGroupManager, error) {
			return c.api.group(ctx, p, name)
		})
	}
	all, err := c.groups.get(ctx, p, func(ctx context.Context) (map[string]*compute.InstanceGroupManager, error) {
		list, err := c.api.groups(ctx, p)
		if err != nil {
			return nil, err
		}
		byName := make(map[string]*compute.InstanceGroupManager, len(list))
		for _, m := range list {
			byName[m.Name] = m
		}
		return byName, nil
	})
	if err != nil {
		return nil, err
	}
	m, ok := all[name]
	if !ok {
		return nil, &googleapi.Error{Code: http.StatusNotFound, Message: "there is no " + p.group(name)}
	}
	return m, nil
}

// managed reads the instances of a group. What it returns is shared and must
// not be changed.
func (c *client) managed(ctx context.Context, p place, name string) ([]*compute.ManagedInstance, error) {
	return c.instances.get(ctx, groupKey{p, name}, func(ctx context.Context) ([]*compute.ManagedInstance, error) {
		return c.api.instances(ctx, p, name)
	})
}

// forget makes the next read of a group ask anew, after it was changed.
func (c *client) forget(p place, name string) {
	c.groups.forget(p)
	c.single.forget(groupKey{p, name})
	c.instances.forget(groupKey{p, name})
}
