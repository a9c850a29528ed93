package alerts

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/go-kit/log/level"
)

// Answer is what Alertmanager itself says is firing.
type Answer struct {
	// RequestedAt is when the question was put, by the book's clock: the
	// answer knows nothing of what happened later.
	RequestedAt time.Time
	// Alerts are all alerts that fire, with what suppresses them.
	Alerts []Alert
	// Settled is true where an alert that is not listed does not fire. An
	// Alertmanager forgets its alerts when it restarts, until Prometheus has
	// sent them again.
	Settled bool
	// Up is since when this Alertmanager runs; zero where that is not known.
	// What it has listed since then and lists no more is over, settled or not.
	Up time.Time
}

// Reconcile lets Alertmanager's own answer win. Alerts that it lists and the
// book does not know are added where they speak for a policy; those it has
// suppressed stay in the book and do not count; those it does not list are
// removed, unless somebody confirmed them so shortly before, or after, the
// question was put that the Alertmanager asked may not have heard of them.
//
// The change is stored in one write before it is made; with an error the book
// is as it was.
func (b *Book) Reconcile(ctx context.Context, answer Answer) (Change, error) {
	c, err := b.update(ctx, b.now(), func(c *change) {
		listed := make(map[string]struct{}, len(answer.Alerts))
		for _, a := range answer.Alerts {
			listed[a.Fingerprint] = struct{}{}
			c.listed(c.dated(a), answer.RequestedAt)
		}
		for fp, e := range b.entries {
			_, ok := listed[fp]
			over := answer.Settled || b.listedSince(fp, answer.Up)
			if !ok && over {
				c.unlisted(fp, e, answer.RequestedAt)
			}
		}
	})
	if err != nil {
		return Change{}, fmt.Errorf("store reconciled alerts: %w", err)
	}

	b.mu.Lock()
	b.reconciled = later(b.reconciled, answer.RequestedAt)
	if answer.Settled {
		b.settled = later(b.settled, answer.RequestedAt)
	}
	b.remember(answer)
	b.mu.Unlock()
	b.metrics.countRefused(c.counts)
	b.metrics.unlisted.Add(float64(c.unlistedNew))
	if c.unlistedNew > 0 {
		b.sparse.Log(level.Warn(b.logger), "msg", "alerts dropped that a notification had: alertmanager does not list them", "alerts", c.unlistedNew)
	}
	if err := c.err(b, len(answer.Alerts)); err != nil {
		b.sparse.Log(level.Warn(b.logger), "msg", "alerts that alertmanager lists were refused", "err", err)
	}
	b.metrics.reconciledAlerts.WithLabelValues("added").Add(float64(c.Added))
	b.metrics.reconciledAlerts.WithLabelValues("updated").Add(float64(c.Updated))
	b.metrics.reconciledAlerts.WithLabelValues("removed").Add(float64(c.Removed))
	if c.Added+c.Updated+c.Removed > 0 {
		level.Info(b.logger).Log("msg", "alerts reconciled with alertmanager",
			"added", c.Added, "updated", c.Updated, "removed", c.Removed, "listed", len(answer.Alerts))
	}
	b.notify(c.Policies)
	return c.Change, nil
}

// remember notes which alerts of the book an Alertmanager has listed since it
// started. The caller holds mu.
func (b *Book) remember(answer Answer) {
	if !answer.Up.Equal(b.listedBy) {
		b.listed, b.listedBy = nil, answer.Up
	}
	listed := make(map[string]struct{}, len(answer.Alerts))
	for _, a := range answer.Alerts {
		listed[a.Fingerprint] = struct{}{}
	}
	for fp := range b.listed {
		if _, ok := b.entries[fp]; ok {
			listed[fp] = struct{}{}
		}
	}
	b.listed = listed
}

// listedSince reports whether the Alertmanager that runs since up has listed
// the alert.
func (b *Book) listedSince(fp string, up time.Time) bool {
	_, ok := b.listed[fp]
	return ok && !up.IsZero() && up.Equal(b.listedBy)
}

// listed plans what an alert in Alertmanager's answer does.
func (c *change) listed(a Alert, requested time.Time) {
	// A resolved that came by webhook meanwhile is newer than the answer, or
	// than what the cluster's other members had heard when they gave it.
	if c.overtaken(a, requested) {
		return
	}
	a.Status, a.EndsAt, a.Policies = Firing, time.Time{}, nil
	a.ReceivedAt, a.LastSeen = c.now, requested

	known, ok := c.get(a.Fingerprint)
	if ok && !maps.Equal(a.Labels, known.Labels) {
		c.disown(a.Fingerprint)
		ok = false
	}
	if !ok {
		if ms := c.matches(a); len(ms) > 0 && c.admit(&a, ms) {
			c.Added++
			c.put(a, true)
			c.pending[a.Fingerprint].listed = requested
		}
		return
	}
	a.Labels, a.GroupKey, a.Receiver = known.Labels, known.GroupKey, known.Receiver
	c.fit(&a, known)
	// The member that was asked may not have heard of the end yet.
	if at, ok := c.book.ending[a.Fingerprint]; ok && requested.Sub(at) >= peerLag {
		c.heard = append(c.heard, a.Fingerprint)
	}
	a.LastSeen = later(a.LastSeen, known.LastSeen)
	a.Silences = keepDetails(a.Silences, known.Silences)
	changed := !slices.Equal(a.SilencedBy, known.SilencedBy) || !slices.Equal(a.InhibitedBy, known.InhibitedBy) ||
		!sameSilences(a.Silences, known.Silences) || known.Unconfirmed
	if a.StartsAt.After(known.StartsAt) {
		changed = true
	} else {
		a.StartsAt, a.ReceivedAt = known.StartsAt, known.ReceivedAt
	}
	if changed {
		c.Updated++
	} else {
		c.Refreshed++
	}
	c.put(a, changed)
	c.pending[a.Fingerprint].listed = requested
}

// overtaken reports whether a was over when the question was put, or so
// shortly before that an answer may not show it yet.
func (c *change) overtaken(a Alert, requested time.Time) bool {
	t, ok := c.book.tombs[a.Fingerprint]
	return ok && requested.Sub(t.at) < peerLag && !a.StartsAt.After(t.ended)
}
