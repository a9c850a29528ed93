package share

import (
	"context"
	"slices"
	"strings"

	"github.com/alertscaler/alertscaler/scaler/target"
)

// discoverer is a target.Discoverer and a target.Closer.
type discoverer[Client any] struct {
	OnClose
	client Client
	find   func(context.Context, Client) ([]target.Discovered, error)
}

// NewDiscoverer returns a target.Discoverer of what find finds with a client
// that it was lent, and that release, called by its Close, gives back.
func NewDiscoverer[Client any](client Client, release func(), find func(context.Context, Client) ([]target.Discovered, error)) target.Discoverer {
	return discoverer[Client]{release, client, find}
}

// Discover implements target.Discoverer.
func (d discoverer[Client]) Discover(ctx context.Context) ([]target.Discovered, error) {
	return d.find(ctx, d.client)
}

// Asking returns the labels by which a thing asks to be scaled, without their
// prefix, and whether it does ask, which is a label enable of any value. It is
// for platforms that write target.DiscoveryPrefix in ways of their own. Where a
// label is there with several prefixes the first of these counts.
func Asking(labels map[string]string, prefixes ...string) (asked map[string]string, asks bool) {
	asked = make(map[string]string)
	for _, prefix := range slices.Backward(prefixes) {
		for k, v := range labels {
			if name, ok := strings.CutPrefix(k, prefix); ok {
				asked[name] = v
			}
		}
	}
	_, asks = asked["enable"]
	return asked, asks
}
