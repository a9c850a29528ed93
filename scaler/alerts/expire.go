package alerts

import (
	"context"
	"fmt"
	"runtime/debug"
	"time"

	"github.com/go-kit/log/level"
)

// Sightings are stored late, so that a repeated notification costs no write:
// LastSeen in the store is at most storedAge behind, found out once per tick.
func storedAge(ttl time.Duration) time.Duration { return ttl / 10 }

// maxExpiredLines is how many alerts that expire at once have a line each in the
// log.
const maxExpiredLines = 10

// tick is how often the book is kept in order.
func tick(ttl time.Duration) time.Duration {
	return min(max(ttl/20, time.Second), 15*time.Second)
}

// storedSlack is how much older than the truth a stored LastSeen may be. An
// alert from the store lives that much longer, rather than being dropped while
// Alertmanager still repeats it.
func storedSlack(ttl time.Duration) time.Duration { return storedAge(ttl) + tick(ttl) }

// SetTTL replaces the TTL, as Options.TTL.
func (b *Book) SetTTL(ttl time.Duration) {
	if ttl == 0 {
		ttl = DefaultTTL
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.ttl = ttl
}

// Expire drops the firing alerts that nobody confirmed within the TTL, and
// stores the sightings that the store does not have yet. A reconciliation
// confirms every alert that Alertmanager lists, so that with one the TTL bites
// only once Alertmanager has been unreachable for so long: what is unknown is
// kept, but not for ever. With an error, as of a panic, nothing was dropped.
//
// Where alerts must be confirmed, it also does what SetConfirm promises while
// Alertmanager does not answer.
func (b *Book) Expire(ctx context.Context, now time.Time) (_ Change, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = b.recovered(taskExpire, p)
		}
	}()
	b.mu.RLock()
	ttl := b.ttl
	b.mu.RUnlock()

	var expired, assumed []Alert
	c, err := b.update(ctx, now, func(c *change) {
		for fp, t := range b.tombs {
			if now.Sub(t.at) >= lateWindow {
				delete(b.tombs, fp)
			}
		}
		assumed = c.unanswered()
		if ttl < 0 {
			return
		}
		for fp, e := range b.entries {
			switch {
			case c.pending[fp] != nil:
			case now.Sub(e.alert.LastSeen) > ttl+e.slack:
				expired = append(expired, e.alert)
				c.remove(fp)
			case e.alert.LastSeen.Sub(e.stored) >= storedAge(ttl):
				c.put(e.alert, true)
			}
		}
	})
	if err != nil {
		return Change{}, fmt.Errorf("store expired alerts: %w", err)
	}

	b.sayAssumed(assumed)
	for i, a := range expired {
		if i == maxExpiredLines {
			level.Warn(b.logger).Log("msg", "alerts dropped, nobody confirmed them", "more", len(expired)-i, "ttl", ttl)
			break
		}
		level.Warn(b.logger).Log("msg", "alert dropped, nobody confirmed it", "fingerprint", a.Fingerprint,
			"alertname", a.Labels["alertname"], "last_seen", a.LastSeen.UTC(), "ttl", ttl)
	}
	b.metrics.expired.Add(float64(len(expired)))
	b.notify(c.Policies)
	return c.Change, nil
}

// The tasks that panics are counted by.
const (
	taskReconcile = "reconcile"
	taskExpire    = "expire"
	taskStore     = "store"
)

// recovered makes an error of a panic.
func (b *Book) recovered(task string, p any) error {
	b.metrics.panics.WithLabelValues(task).Inc()
	level.Error(b.logger).Log("msg", "panic recovered, the alerts stay as they were", "task", task, "err", p, "stack", string(debug.Stack()))
	return fmt.Errorf("panic: %v", p)
}

// Run keeps the book in order until ctx is done. It returns nil.
func (b *Book) Run(ctx context.Context) error {
	for {
		b.mu.RLock()
		wait := tick(b.ttl)
		b.mu.RUnlock()
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(wait):
		}
		if _, err := b.Expire(ctx, b.now()); err != nil && ctx.Err() == nil {
			level.Error(b.logger).Log("msg", "expiring alerts", "err", err)
		}
	}
}
