package aws

import (
	"context"
	"fmt"
	"regexp"
	"strings"

	"github.com/alertscaler/alertscaler/scaler/target"
	"github.com/alertscaler/alertscaler/scaler/target/share"
)

// prefixes begin the tags that ask to be scaled, the one that counts first. Tags
// of AWS are commonly written with colons; dots, as everywhere else, do as well.
var prefixes = []string{"alertscaler:", target.DiscoveryPrefix}

// discoverer returns one of what find finds on a connection.
func (c *Clients) discoverer(conn Connection, o target.Options, find func(context.Context, *account) ([]target.Discovered, error)) (target.Discoverer, error) {
	a, release, err := c.get(conn, o.HTTPClient)
	if err != nil {
		return nil, fmt.Errorf("clients of AWS: %w", err)
	}
	return share.NewDiscoverer(a, release, find), nil
}

// asking is share.Asking of tags.
func asking[T any](tags []T, pair func(*T) (key, value *string)) (map[string]string, bool) {
	all := make(map[string]string, len(tags))
	for i := range tags {
		k, v := pair(&tags[i])
		all[share.Value(k)] = share.Value(v)
	}
	return share.Asking(all, prefixes...)
}

// unfit is what the name of a policy may not have in it.
var unfit = regexp.MustCompile(`[^a-zA-Z0-9_.:-]+`)

// policyName is a name as a policy may have it. Two groups whose names differ
// in nothing else are reported as a problem, as all things of one name are.
func policyName(name string) string {
	fit := strings.TrimLeft(unfit.ReplaceAllString(name, "-"), "_.:-")
	return fit[:min(len(fit), 128)]
}
