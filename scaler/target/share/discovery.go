package share

import (
	"context"
	"slices"
	"strings"

	"github.com/alertscaler/alertscaler/scaler/target"
)

// Discoverer is a target.Discoverer made of functions.
type Discoverer struct {
	OnClose
	// Find is Discover.
	Find func(context.Context) ([]target.Discovered, error)
}

var (
	_ target.Discoverer = Discoverer{}
	_ target.Closer     = Discoverer{}
)

// Discover implements target.Discoverer.
func (d Discoverer) Discover(ctx context.Context) ([]target.Discovered, error) { return d.Find(ctx) }

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
