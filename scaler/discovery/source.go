package discovery

import (
	"context"
	"maps"
	"reflect"
	"slices"
	"time"

	"github.com/alertscaler/alertscaler/scaler/config"
	"github.com/alertscaler/alertscaler/scaler/target"
)

// source is one discovery at work.
type source struct {
	platform   target.DiscoveryConfig
	files      string // target.FilesSum of platform when it was built
	discoverer target.Discoverer
	cancel     context.CancelFunc // set once its loop runs
	paced      chan struct{}      // tells the loop that its interval is another

	known // guarded by Manager.mu once its loop runs
}

// known is what a source has found out, and what became of it.
type known struct {
	entry *config.Discovery
	// found is of the last list that succeeded.
	found       []target.Discovered
	lastSuccess time.Time
	// lastErr is nil where the last list succeeded.
	lastErr            error
	attempts, failures int
	good               map[string]good
	things             []Thing
}

// take takes in a list or why there is none, and reports whether anything is
// not as it was.
func (k *known) take(found []target.Discovered, err error, now time.Time) (changed bool) {
	k.attempts++
	k.lastErr = err
	if err != nil {
		k.failures++
		return false
	}
	found = ordered(found)
	changed = k.lastSuccess.IsZero() || !slices.EqualFunc(k.found, found, same)
	k.found, k.lastSuccess = found, now
	return changed
}

func same(a, b target.Discovered) bool {
	return a.Name == b.Name && a.ScaleTarget == b.ScaleTarget && a.What == b.What &&
		maps.Equal(a.Labels, b.Labels) && reflect.DeepEqual(a.Target, b.Target)
}

// discover lists within a time.
func (m *Manager) discover(ctx context.Context, s *source, timeout time.Duration) (found []target.Discovered, err error) {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	err = m.guard.Do(m.opts.Logger, componentDiscovery, func() (err error) {
		found, err = s.discoverer.Discover(ctx)
		return err
	})
	return found, err
}

func (s *source) close() error {
	if c, ok := s.discoverer.(target.Closer); ok {
		return c.Close()
	}
	return nil
}
