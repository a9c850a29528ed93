package scaler

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/alertscaler/alertscaler/scaler/policy"
	"github.com/alertscaler/alertscaler/scaler/target"
)

// hanging answers nothing before its time is over.
type hanging struct{ *scripted }

func (h hanging) Current(ctx context.Context) (target.State, error) {
	h.set(func(s *scripted) { s.asked = append(s.asked, 0) })
	<-ctx.Done()
	return target.State{}, ctx.Err()
}

type hangingConfig struct{ scriptedConfig }

func (c *hangingConfig) Platform() string                          { return "hanging" }
func (c *hangingConfig) New(target.Options) (target.Target, error) { return hanging{c.it}, nil }

// TestHungPlatformsStarveNobody: not those on other platforms, which notice
// nothing, nor others on their own.
func TestHungPlatformsStarveNobody(t *testing.T) {
	for _, tc := range []struct {
		platform string
		within   time.Duration
	}{{"another", 0}, {"the same", 3 * time.Second}} {
		t.Run(tc.platform, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t, 2, nil)
				w.engine.lanes = newLanes(4)
				c := *w.config
				c.Policies = slices.Clone(c.Policies)
				var names []string
				for i := range 8 {
					name := fmt.Sprintf("hung-%d", i)
					names = append(names, name)
					w.platform[name] = newScripted(2)
					p := w.configFor(name, nil).Policies[0]
					hung := &hangingConfig{scriptedConfig{Name: name, it: w.platform[name]}}
					p.Targets[0].Platform = hung
					if tc.platform == "the same" {
						p.Targets[0].Platform = &sameHangingConfig{*hung}
					}
					c.Policies = append(c.Policies, p)
				}
				w.reload(&c)
				w.wait(100 * time.Millisecond)
				w.engine.Wake(names)
				before := time.Now()
				w.fire("web", policy.Up)
				for len(w.platform["web"].calls()) == 0 && time.Since(before) < time.Minute {
					w.wait(100 * time.Millisecond)
				}
				if took := time.Since(before); took > tc.within {
					t.Errorf("acted after %s", took)
				}

				// Those that hang are asked ever less often.
				w.wait(2 * time.Minute)
				n := len(w.platform["hung-0"].calls())
				w.wait(10 * time.Minute)
				if n = len(w.platform["hung-0"].calls()) - n; n > 10 || n < 5 {
					t.Errorf("read %d times in ten minutes", n)
				}
			})
		})
	}
}

type sameHangingConfig struct{ hangingConfig }

func (c *sameHangingConfig) Platform() string { return "scripted" }

// TestWhatIsLeftAloneIsReadSeldom, and at once when its alerts change.
func TestWhatIsLeftAloneIsReadSeldom(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, 2, nil)
		read := &counting{scripted: w.platform["web"]}
		c := *w.config
		c.Policies = slices.Clone(c.Policies)
		p := *w.configFor("web", nil).Policies[0]
		p.Targets[0].Platform = &countingConfig{scriptedConfig{Name: "other"}, read}
		c.Policies[0] = &p
		w.reload(&c)
		w.platform["web"].set(func(s *scripted) {
			s.onScale = func(context.Context, *scripted, int) error {
				return target.Errorf(target.KindPermanent, "scale", "forbidden")
			}
		})
		w.fire("web", policy.Up)
		w.wait(2 * time.Second)
		n := read.n.Load()
		w.wait(4 * time.Minute)
		if got := read.n.Load() - n; got < 3 || got > 5 {
			t.Errorf("read %d times in four minutes of a backoff", got)
		}
		n = read.n.Load()
		w.resolve("web", policy.Up)
		w.wait(time.Second)
		if read.n.Load() == n {
			t.Error("not read although its alerts changed")
		}
	})
}

type counting struct {
	*scripted
	n atomic.Int64
}

func (c *counting) Current(ctx context.Context) (target.State, error) {
	c.n.Add(1)
	return c.scripted.Current(ctx)
}

type countingConfig struct {
	scriptedConfig
	it *counting
}

func (c *countingConfig) New(target.Options) (target.Target, error) { return c.it, nil }

// TestConflictsWaitAsThePlatformAsks: a conflict for which the platform said
// when to come back is not tried again before.
func TestConflictsWaitAsThePlatformAsks(t *testing.T) {
	for _, tc := range []struct {
		after time.Duration
		calls int
	}{{0, 5}, {40 * time.Second, 1}} {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t, 2, nil)
			w.platform["web"].set(func(s *scripted) {
				s.onScale = func(context.Context, *scripted, int) error {
					return &target.Error{Kind: target.KindConflict, Op: "scale", RetryAfter: tc.after, Err: errors.New("an operation is under way")}
				}
			})
			w.fire("web", policy.Up)
			w.wait(time.Second)
			if got := len(w.platform["web"].calls()); got != tc.calls {
				t.Errorf("retry after %s: asked %d times at once, want %d", tc.after, got, tc.calls)
			}
			if tc.after == 0 {
				return
			}
			w.wait(tc.after - 2*time.Second)
			if got := len(w.platform["web"].calls()); got != 1 {
				t.Errorf("asked %d times before %s were over", got, tc.after)
			}
			w.wait(30 * time.Second)
			if got := len(w.platform["web"].calls()); got != 2 {
				t.Errorf("asked %d times once they were", got)
			}
		})
	}
}
