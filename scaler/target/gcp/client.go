package gcp

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"net/http"
	"time"

	compute "google.golang.org/api/compute/v1"
	"google.golang.org/api/option"

	"github.com/alertscaler/alertscaler/scaler/outgoing"
	"github.com/alertscaler/alertscaler/scaler/target/share"
)

// keep is how long what was read is good for. It is longer than a round of
// evaluations takes to start and much shorter than the time between two.
const keep = 1500 * time.Millisecond

// client asks the API, on behalf of all targets with the same credentials. All
// methods are safe for concurrent use.
type client struct {
	api   api
	close func()

	groups    share.Readings[groupKey, *compute.InstanceGroupManager]
	instances share.Readings[groupKey, []*compute.ManagedInstance]
}

type groupKey struct {
	place
	name string
}

// place is a zone or a region of a project.
type place struct{ project, zone, region string }

// location is the name of the zone or region.
func (p place) location() string { return cmp.Or(p.zone, p.region) }

// group is the full name of a group: projects/shop/zones/europe-west1-b/web.
func (p place) group(name string) string {
	if p.zone != "" {
		return fmt.Sprintf("projects/%s/zones/%s/%s", p.project, p.zone, name)
	}
	return fmt.Sprintf("projects/%s/regions/%s/%s", p.project, p.region, name)
}

func newClient(a Account, override *http.Client) (*client, error) {
	var base http.RoundTripper = share.Transport()
	if override != nil && override.Transport != nil {
		base = override.Transport
	}
	// Those who give tokens are asked with the same.
	base = outgoing.Guard(base)
	tokens := newTokens(a, base)
	hc := &http.Client{
		Transport: authorized{next: base, token: tokens.get, refused: tokens.drop},
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
	cl := &client{api: newAPI(service), close: (&http.Client{Transport: base}).CloseIdleConnections}
	cl.groups.Fetch, cl.groups.PerCall, cl.groups.Age = cl.readGroups, math.MaxInt, keep
	cl.groups.Together = func(a, b groupKey) bool { return a.place == b.place }
	cl.instances.Fetch, cl.instances.Age = share.Only(cl.api.instances), keep
	return cl, nil
}

// readGroups reads groups of one place: one alone, or all of the place together.
func (c *client) readGroups(ctx context.Context, keys []groupKey) (map[groupKey]*compute.InstanceGroupManager, error) {
	out := make(map[groupKey]*compute.InstanceGroupManager, len(keys))
	if len(keys) == 1 {
		m, err := c.api.group(ctx, keys[0])
		out[keys[0]] = m
		return out, err
	}
	list, err := c.api.groups(ctx, keys[0].place)
	for _, m := range list {
		out[groupKey{keys[0].place, m.Name}] = m
	}
	return out, err
}

// forget makes the next read of a group ask anew, after it was changed.
func (c *client) forget(k groupKey) {
	c.groups.Forget(k)
	c.instances.Forget(k)
}
