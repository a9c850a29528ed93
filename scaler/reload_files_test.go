package scaler

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/alertscaler/alertscaler/scaler/config"
	"github.com/alertscaler/alertscaler/scaler/drain"
	"github.com/alertscaler/alertscaler/scaler/policy"
	"github.com/alertscaler/alertscaler/scaler/target"
)

// client is one way to reach a platform; the platform is what it was for all
// of them.
type client struct {
	*named
	closed bool
}

func (c *client) Close() error {
	c.closed = true
	return nil
}

// clientConfig names a file that says how the platform is reached.
type clientConfig struct {
	namedConfig
	content *string
	built   *[]*client
}

func (c *clientConfig) FilesSum() string { return *c.content }

func (c *clientConfig) New(target.Options) (target.Target, error) {
	it := &client{named: c.named}
	*c.built = append(*c.built, it)
	return it, nil
}

// TestReloadAfterAFileChanged: a reload of the same configuration builds those
// targets anew whose files are others now, and keeps what is known of them.
func TestReloadAfterAFileChanged(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newNamed(4)
		w, h, u := newDraining(t, n, 10*time.Minute)
		u.set(map[string]float64{"a": 4, "b": 1, "c": 3, "d": 2}, nil)
		content := "the old token"
		var built []*client
		load := func() *config.Config {
			c := w.configNamed(n, &config.Victims{Query: "players"}, &drain.Config{})
			c.Policies[0].Targets[0].Platform = &clientConfig{c.Policies[0].Targets[0].Platform.(namedConfig), &content, &built}
			return c
		}
		w.reload(load())
		w.wait(time.Second)
		w.fire("web", policy.Down)
		h.called(t, "drain b", "drain d")

		w.reload(load())
		w.wait(time.Second)
		if len(built) != 1 || built[0].closed {
			t.Fatalf("%d were built of one content; the first is closed: %t", len(built), built[0].closed)
		}

		content = "the new token"
		w.reload(load())
		w.wait(time.Second)
		if len(built) != 2 || !built[0].closed || built[1].closed {
			t.Fatalf("%d were built of two contents; the first is closed: %t", len(built), built[0].closed)
		}
		// It is the same thing still, and those that finish their work go on
		// with it.
		h.called(t)
		h.done("b")
		h.done("d")
		w.wait(time.Second)
		if n.left() != "a c" {
			t.Errorf("%s are left once two were drained", n.left())
		}
		if err := w.engine.Stop(t.Context()); err != nil {
			t.Error(err)
		}
		if !built[1].closed {
			t.Error("the new one was not closed in the end")
		}
	})
}
