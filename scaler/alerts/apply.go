package alerts

import (
	"context"
	"fmt"
	"maps"
	"time"

	"github.com/go-kit/log/level"
)

const (
	// lateWindow is how long word of a firing that is known to be over is
	// taken for a late one. Alertmanager retries within a flush, and peer n of
	// a cluster waits n × 15 s before it sends the same group, so what comes
	// later than this is new: Alertmanager fires again with the same startsAt
	// after Prometheus could not reach it for a while.
	lateWindow = time.Minute
	// peerLag is how far the members of an Alertmanager cluster may be apart.
	peerLag = 15 * time.Second
)

// tombstone remembers that an alert was over, against word of its firing that
// was sent earlier and arrives later. It is not stored: what a restart
// forgets, the next resolved, reconciliation or the TTL puts right.
type tombstone struct {
	// ended is the time up to which firings are over, by the sender's clock.
	ended time.Time
	// at is when the book learnt of it.
	at time.Time
}

// Apply takes in what one notification said, alert by alert; the group's own
// status and the alerts it leaves out mean nothing. An alert that fires is
// added or seen again, one that is resolved is removed. Duplicates and late
// arrivals change nothing: a firing that was over when it was sent again does
// not come back, and a resolved removes only the firing it belongs to.
// Alerts that speak for no policy are counted as unmatched, and kept within
// Options.MaxUnmatched for the policy that a reload may bring.
//
// What changes the book is stored in one write before Apply returns, together
// with what others change at the same time; a notification that changes nothing
// needs no write.
//
// With ErrFull or ErrTooLarge some alerts were refused and the rest is in the
// book; those that it knew already are never refused. With another error the
// book is as it was, and the sender should try again.
func (b *Book) Apply(ctx context.Context, n Notification) (Change, error) {
	now := b.now()
	plan := func(c *change) {
		for _, a := range n.Alerts {
			if n.Unverified {
				c.verify(&a)
			}
			a = c.dated(a)
			a.Receiver, a.GroupKey = n.Receiver, n.GroupKey
			if a.Status == Resolved {
				c.resolved(a)
			} else {
				c.firing(a)
			}
		}
	}

	did, w := b.applyRepeat(ctx, now, len(n.Alerts), plan)
	if w != nil {
		if err := b.join(w); err != nil {
			return Change{}, fmt.Errorf("store alerts of group %.200s: %w", n.GroupKey, err)
		}
		did = w.did
	} else {
		b.notify(did.Policies)
	}

	b.metrics.countRefused(did)
	b.metrics.unmatched.Add(float64(did.Unmatched))
	if did.lateFiring > 0 {
		b.metrics.late.WithLabelValues(string(Firing)).Add(float64(did.lateFiring))
	}
	if did.lateResolved > 0 {
		b.metrics.late.WithLabelValues(string(Resolved)).Add(float64(did.lateResolved))
	}
	level.Debug(b.logger).Log("msg", "notification applied", "group", n.GroupKey, "receiver", n.Receiver,
		"added", did.Added, "updated", did.Updated, "removed", did.Removed, "refreshed", did.Refreshed,
		"late", did.Late, "unmatched", did.Unmatched, "truncated", n.Truncated)
	return did.Change, did.err(b, len(n.Alerts))
}

// applyRepeat makes the change of a notification that only repeats what the
// book has, or of any where nothing has to be stored, and has others stored: the
// caller joins what it returns.
func (b *Book) applyRepeat(ctx context.Context, now time.Time, alerts int, plan func(*change)) (counts, *waiting) {
	b.mu.Lock()
	defer b.mu.Unlock()
	c := b.newChange(now)
	c.expect(alerts)
	plan(c)
	alone := b.store == nil && b.inFlight == nil && len(b.queue) == 0
	if !alone && !c.repeat() {
		return counts{}, b.enqueue(ctx, now, plan)
	}
	c.commit()
	return c.counts, nil
}

// verify gives the alert the fingerprint of its labels. Where the book has an
// alert of that fingerprint and these labels, that is the one it has.
func (c *change) verify(a *Alert) {
	if known, ok := c.get(a.Fingerprint); !ok || !maps.Equal(a.Labels, known.Labels) {
		a.Fingerprint = Fingerprint(a.Labels)
		return
	}
	c.same = a.Fingerprint
}

// firing plans what word of a firing alert does.
func (c *change) firing(a Alert) {
	if c.over(a, lateWindow) {
		c.Late++
		c.lateFiring++
		return
	}
	a.Status, a.EndsAt = Firing, time.Time{}
	a.ReceivedAt, a.LastSeen = c.now, c.now
	a.SilencedBy, a.Silences, a.InhibitedBy, a.Policies = nil, nil, nil, nil
	known, ok := c.get(a.Fingerprint)
	if ok && c.same != a.Fingerprint && !maps.Equal(a.Labels, known.Labels) {
		c.disown(a.Fingerprint)
		ok = false
	}
	ms := c.matches(a)
	if len(ms) == 0 {
		c.Unmatched++
	}
	if !ok {
		a.Unconfirmed = c.book.confirm
		if c.admit(&a, ms) {
			c.Added++
			c.put(a, true)
			c.ask = c.ask || (a.Unconfirmed && len(ms) > 0)
		}
		return
	}

	a.Labels = known.Labels
	c.fit(&a, known)
	// Alertmanager notifies only of what nothing suppresses. A recent
	// reconciliation knows better still, because a notification may be late.
	if c.book.confirm || c.now.Sub(c.book.reconciled) <= lateWindow {
		a.SilencedBy, a.Silences, a.InhibitedBy = known.SilencedBy, known.Silences, known.InhibitedBy
	}
	a.Unconfirmed = known.Unconfirmed
	c.ask = c.ask || (a.Unconfirmed && len(ms) > 0)
	changed := a.Active() != known.Active()
	if c.book.confirm && !a.Unconfirmed && a.StartsAt.After(known.StartsAt) {
		a.StartsAt = known.StartsAt // until Alertmanager says the same
		c.ask = true
	}
	if a.StartsAt.After(known.StartsAt) {
		changed = true
	} else {
		// Of two Prometheus servers Alertmanager reports the earlier start,
		// as soon as it has heard of it. It is the same firing.
		a.StartsAt, a.ReceivedAt = known.StartsAt, known.ReceivedAt
	}
	if changed {
		c.Updated++
	} else {
		c.Refreshed++
	}
	c.put(a, changed)
}

// resolved plans what word of a resolved alert does.
func (c *change) resolved(a Alert) {
	known, ok := c.get(a.Fingerprint)
	switch {
	case !ok:
		if len(c.book.index.Match(a.Labels)) == 0 {
			// Nobody cares how late word of its firing comes.
			c.Unmatched++
			return
		}
	case c.book.confirm && !known.Unconfirmed && len(c.matches(known)) > 0 && ends(a, known):
		// Nobody ends by one request what Alertmanager lists.
		c.ended = append(c.ended, a.Fingerprint)
		c.ask = true
		return
	case ends(a, known):
		if len(c.matches(known)) == 0 {
			c.Unmatched++
		}
		c.remove(a.Fingerprint)
	default:
		c.Late++
		c.lateResolved++
	}
	c.bury(a.Fingerprint, later(a.StartsAt, a.EndsAt))
}

// ends reports whether the resolved alert r is the end of the firing f. As in
// Alertmanager, which merges them, two spans of one alert that overlap are
// one; a resolved that ended before f began belongs to an earlier firing.
func ends(r, f Alert) bool {
	return r.StartsAt.IsZero() || !r.StartsAt.Before(f.StartsAt) || r.EndsAt.After(f.StartsAt)
}

// over reports whether the firing a is known to have ended, within the window
// in which it may still be heard of.
func (c *change) over(a Alert, window time.Duration) bool {
	t, ok := c.tombs[a.Fingerprint]
	if !ok {
		t, ok = c.book.tombs[a.Fingerprint]
	}
	return ok && c.now.Sub(t.at) < window && !a.StartsAt.After(t.ended)
}

// bury remembers that the alert's firings up to ended are over. The same word
// heard again does not lengthen the window.
func (c *change) bury(fp string, ended time.Time) {
	t, ok := c.tombs[fp]
	if !ok {
		t, ok = c.book.tombs[fp]
	}
	if ok && c.now.Sub(t.at) < lateWindow && !ended.After(t.ended) {
		return
	}
	if !ok && len(c.book.tombs)+len(c.tombs) >= c.book.maxTombs {
		return
	}
	if c.tombs == nil {
		c.tombs = make(map[string]tombstone)
	}
	c.tombs[fp] = tombstone{ended: ended, at: c.now}
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}
