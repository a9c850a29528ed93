package target

import (
	"context"
	"strings"
)

// DiscoveryPrefix begins the labels, annotations and tags by which a thing
// asks to be scaled: alertscaler.enable, alertscaler.min and so on.
const DiscoveryPrefix = "alertscaler."

// DiscoveryConfig is one platform's configuration of where to look for things
// that ask to be scaled, valid once decoded and validated.
type DiscoveryConfig interface {
	// Platform is the key in the configuration: docker_services, kubernetes.
	Platform() string
	// Validate reports what is wrong with the values, as a *FieldError where
	// one key is to blame.
	Validate() error
	// New builds the discoverer. It may dial lazily and must not change
	// anything.
	New(Options) (Discoverer, error)
}

// Discoverer finds things that ask to be scaled. It may be a Closer.
type Discoverer interface {
	// Discover lists everything that carries alertscaler.enable, whatever its
	// value. A list that may be incomplete is an error: what is missing from
	// it would be taken for gone. Errors are of this package's kinds.
	Discover(ctx context.Context) ([]Discovered, error)
}

// Discovered is one thing that asks to be scaled.
type Discovered struct {
	// Name tells it from all others of the same discovery, and is fit to be a
	// policy's.
	Name string
	// ScaleTarget is the scale_target label that its recorded series have by
	// the shipped rules.
	ScaleTarget string
	// What names it in messages: "service shop_web".
	What string
	// Labels are its labels that begin with DiscoveryPrefix, without that.
	Labels map[string]string
	// Target scales it.
	Target Config
}

// Asking returns the labels, of however many kinds, by which a thing asks to be
// scaled, without DiscoveryPrefix. Where two say something the later one counts.
func Asking(labels ...map[string]string) map[string]string {
	out := make(map[string]string)
	for _, of := range labels {
		for k, v := range of {
			if key, ok := strings.CutPrefix(k, DiscoveryPrefix); ok {
				out[key] = v
			}
		}
	}
	return out
}
