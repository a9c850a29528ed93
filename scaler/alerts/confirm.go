package alerts

import (
	"slices"
	"time"

	"github.com/go-kit/log/level"

	"github.com/alertscaler/alertscaler/scaler/policy"
)

// unansweredFor is how long an alert waits for an Alertmanager that does not
// answer. Whoever notifies is up, so that its API is rarely down for longer
// than that; where it is, scale-ups must not wait for ever.
const unansweredFor = time.Minute

// SetConfirm says whether notifications are only a reason to ask Alertmanager:
// an alert of which one tells counts once Alertmanager lists it, and is over
// once Alertmanager does not list it any more, so that nobody scales by a POST
// alone. A reconciler must run on the book, and is asked at once.
//
// While Alertmanager does not answer, what is known keeps counting. An alert
// that is new then counts after a minute all the same, unless it asks for fewer
// replicas: one too many for a while is the lesser harm than a fleet that
// cannot grow. An alert that is said to be over is taken for over after 15
// seconds. Where confirm is switched off, what waits for Alertmanager counts at
// once, and what is said to be over is so with the next Expire. SetConfirm does
// not wait for the store.
func (b *Book) SetConfirm(confirm bool) { b.notify(b.setConfirm(confirm)) }

func (b *Book) setConfirm(confirm bool) []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.confirm = confirm
	if confirm {
		return nil
	}
	affected := make(map[string]struct{})
	for fp := range b.unconfirmed {
		e := b.entries[fp]
		b.count(e, -1)
		e.alert.Unconfirmed = false
		b.count(e, 1)
		touch(affected, e)
	}
	return sortedKeys(affected)
}

// ask has Alertmanager asked at once, where somebody asks it.
func (b *Book) ask() {
	select {
	case b.asked <- struct{}{}:
	default:
	}
}

// waiting reports whether there is an alert that speaks for a policy and waits
// for Alertmanager to confirm it, or its end.
func (b *Book) waiting() bool {
	b.mu.RLock()
	defer b.mu.RUnlock()
	for fp := range b.unconfirmed {
		if len(b.entries[fp].matches) > 0 {
			return true
		}
	}
	return len(b.ending) > 0
}

// unlisted plans what becomes of an alert that Alertmanager does not list and
// would if it fired, as far as it has heard.
func (c *change) unlisted(fp string, e *entry, requested time.Time) {
	ended, said := c.book.ending[fp]
	switch {
	case said && !ended.After(requested):
	case requested.Sub(e.alert.LastSeen) >= peerLag:
	case c.book.confirm && !e.alert.Unconfirmed && requested.Sub(later(e.alert.ReceivedAt, e.listed)) >= peerLag:
		// Somebody keeps it firing, and Alertmanager does not know.
		a := e.alert
		a.Unconfirmed = true
		c.Updated++
		c.put(a, true)
		return
	default:
		return
	}
	if e.alert.Unconfirmed && e.listed.IsZero() && len(e.matches) > 0 {
		c.unlistedNew++
	}
	c.remove(fp)
	c.bury(fp, e.alert.StartsAt)
}

// unanswered plans what becomes of the alerts that wait for an Alertmanager
// which does not answer, or is not asked any more.
func (c *change) unanswered() (assumed []Alert) {
	b := c.book
	if b.confirm {
		assumed = c.assume()
	}
	for fp, at := range b.ending {
		e := b.entries[fp]
		switch {
		case c.pending[fp] != nil:
		case !b.confirm && e.alert.LastSeen.After(at):
			delete(b.ending, fp) // somebody says that it fires
		case !b.confirm, c.now.Sub(at) >= peerLag && b.settled.Before(at):
			c.remove(fp)
			c.bury(fp, later(e.alert.StartsAt, at))
		}
	}
	return assumed
}

// assume plans to count what Alertmanager has not confirmed for a minute.
func (c *change) assume() (assumed []Alert) {
	b := c.book
	for fp := range b.unconfirmed {
		e := b.entries[fp]
		a := e.alert
		if len(e.matches) == 0 || c.pending[fp] != nil || c.now.Sub(a.ReceivedAt) < unansweredFor || !b.reconciled.Before(a.ReceivedAt) ||
			slices.ContainsFunc(e.matches, func(m Match) bool { return m.Direction == policy.Down }) {
			continue
		}
		a.Unconfirmed = false
		c.put(a, true)
		assumed = append(assumed, a)
	}
	return assumed
}

// sayAssumed logs and counts the alerts that count without a confirmation.
func (b *Book) sayAssumed(assumed []Alert) {
	if len(assumed) == 0 {
		return
	}
	b.metrics.assumed.Add(float64(len(assumed)))
	level.Warn(b.logger).Log("msg", "alerts count although alertmanager has not confirmed them, because it does not answer",
		"alerts", len(assumed), "for", unansweredFor, "fingerprint", assumed[0].Fingerprint, "alertname", assumed[0].Labels["alertname"])
}
