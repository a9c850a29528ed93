package alerts

import (
	"context"
	"maps"
	"slices"
	"time"
)

// Change is what one call did to the book.
type Change struct {
	// Added, Updated and Removed alerts were stored; Refreshed ones were only
	// seen again.
	Added, Updated, Removed, Refreshed int
	// Late alerts were overtaken by newer word and ignored.
	Late int
	// Unmatched alerts speak for no policy.
	Unmatched int
	// Policies whose set of active alerts, or of silenced ones, changed,
	// sorted; those of all the changes that were stored together.
	Policies []string
}

// change is a planned change: it is worked out against the book as it is,
// stored, and only then made, so that the book never claims what the store
// does not have. It is planned and committed with mu held, and mu is given up
// between the two only while writes is held. What SetRules and SetConfirm do
// then is caught up with by the commit.
type change struct {
	counts
	book *Book
	now  time.Time
	// index is what the pending alerts were held against, where the rules may
	// be replaced before the commit; nil: they cannot.
	index   *Index
	pending map[string]*pending
	// space is where the next pending ones go.
	space []pending
	tombs map[string]tombstone
	// newUnmatched counts the pending alerts that add to Book.unmatched,
	// newUnmatchedBytes and newBytes what the book grows by, and shares the
	// alerts that policies get more.
	newUnmatched, newUnmatchedBytes, newBytes int
	shares                                    map[string]int
	// spareOf are what may go from each policy, spareUnmatched and
	// spareUnconfirmed what may go from the book; nil until it is asked for.
	spareOf                          map[string]*spare
	spareUnmatched, spareUnconfirmed *spare
	// ask is true where Alertmanager has something to confirm.
	ask bool
	// ended are the alerts that a notification says are over, heard those that
	// Alertmanager says fire.
	ended, heard []string
	// same is the fingerprint of the alert at hand, where it was just found to
	// have the labels of the one that the book has.
	same string
	// unlistedNew counts the alerts that are removed without ever having
	// counted.
	unlistedNew int
}

// counts are what one notification did, of all that share a change.
type counts struct {
	Change
	refused
	lateFiring, lateResolved, trimmed int
}

// pending is what one alert is to become.
type pending struct {
	alert   Alert
	matches []Match
	removed bool
	size    int
	labels  int       // of them for labels
	listed  time.Time // as of the entry
	// stored is true where the store must have it before the book.
	stored bool
}

func (b *Book) newChange(now time.Time) *change {
	return &change{book: b, now: now}
}

// expect makes room for n alerts at once.
func (c *change) expect(n int) {
	c.pending = make(map[string]*pending, n)
	c.space = make([]pending, 0, n)
}

// get returns the alert as this change leaves it.
func (c *change) get(fp string) (Alert, bool) {
	if p, ok := c.pending[fp]; ok {
		return p.alert, !p.removed
	}
	if e, ok := c.book.entries[fp]; ok {
		return e.alert, true
	}
	return Alert{}, false
}

// matches returns the policies that a speaks for. An alert keeps the labels
// it came with, so those of one in the book need no second look.
func (c *change) matches(a Alert) []Match {
	if p, ok := c.pending[a.Fingerprint]; ok {
		if p.removed {
			return c.book.index.Match(a.Labels)
		}
		return p.matches
	}
	if e, ok := c.book.entries[a.Fingerprint]; ok {
		return e.matches
	}
	return c.book.index.Match(a.Labels)
}

// put plans a to be in the book; stored says whether the store must know.
func (c *change) put(a Alert, stored bool) {
	p := pending{alert: a, matches: c.matches(a), stored: stored}
	p.labels = c.labelBytes(a)
	p.size = p.labels + a.restBytes()
	if old := c.pending[a.Fingerprint]; old != nil && old.stored {
		p.stored = true
	}
	c.plan(a.Fingerprint, p)
}

// remove plans the alert to leave the book.
func (c *change) remove(fp string) {
	c.Removed++
	c.plan(fp, pending{removed: true, stored: true})
}

func (c *change) plan(fp string, p pending) {
	if c.pending == nil {
		c.pending = make(map[string]*pending)
	}
	c.newBytes += p.size - c.size(fp)
	c.space = append(c.space, p)
	c.pending[fp] = &c.space[len(c.space)-1]
}

// labelBytes is what the alert's labels take. An alert keeps its labels, so
// that those of one in the book are counted already.
func (c *change) labelBytes(a Alert) int {
	if p, ok := c.pending[a.Fingerprint]; ok && !p.removed {
		return p.labels
	}
	if e, ok := c.book.entries[a.Fingerprint]; ok && c.pending[a.Fingerprint] == nil {
		return e.labels
	}
	return pairBytesOf(a.Labels)
}

// size returns what the alert takes as this change leaves it.
func (c *change) size(fp string) int {
	if p, ok := c.pending[fp]; ok {
		return p.size
	}
	if e, ok := c.book.entries[fp]; ok {
		return e.size
	}
	return 0
}

// disown plans the alert to go whose fingerprint is another one's: that has
// these labels, and this alert has others.
func (c *change) disown(fp string) {
	c.plan(fp, pending{removed: true, stored: true})
}

// repeat reports whether the change only sees again what the book has. Such a
// change needs neither the store nor the order of writes, unless a change to
// the same alert is being stored at this moment.
func (c *change) repeat() bool {
	if len(c.tombs) > 0 {
		return false
	}
	for fp, p := range c.pending {
		if p.stored || c.book.inFlight[fp] != nil {
			return false
		}
	}
	return true
}

// store writes what the store must know.
func (c *change) store(ctx context.Context) error {
	var (
		put  []Alert
		gone []string
	)
	for fp, p := range c.pending {
		switch {
		case !p.stored:
		case p.removed:
			gone = append(gone, fp)
		default:
			put = append(put, p.alert.plain())
		}
	}
	if c.book.store == nil || len(put)+len(gone) == 0 {
		return nil
	}
	return c.book.store.SaveAlerts(ctx, put, gone)
}

// commit makes the change, with mu held for writing.
func (c *change) commit() {
	b := c.book
	affected := make(map[string]struct{})
	reloaded := c.index != nil && c.index != b.index
	for fp, p := range c.pending {
		old := b.entries[fp]
		if !b.confirm {
			p.alert.Unconfirmed = false // it may have been switched off since
		}
		if !p.stored {
			b.bytes += p.size - old.size
			if len(old.matches) == 0 {
				b.unmatchedBytes += p.size - old.size
			}
			old.alert, old.slack, old.size, old.listed = p.alert, 0, p.size, later(old.listed, p.listed)
			continue
		}
		if old != nil {
			b.count(old, -1)
			delete(b.entries, fp)
			if p.removed {
				delete(b.ending, fp)
			}
		}
		var e *entry
		if !p.removed {
			if reloaded {
				p.matches = b.index.Match(p.alert.Labels)
				c.ask = c.ask || (p.alert.Unconfirmed && len(p.matches) > 0)
			}
			e = &entry{alert: p.alert, matches: p.matches, stored: p.alert.LastSeen, size: p.size, labels: p.labels, listed: p.listed}
			if old != nil {
				e.listed = later(old.listed, p.listed)
			}
			b.entries[fp] = e
			b.count(e, 1)
		}
		if speaks(old) != speaks(e) {
			touch(affected, old, e)
		}
	}
	maps.Copy(b.tombs, c.tombs)
	for _, fp := range c.ended {
		if _, ok := b.ending[fp]; !ok && b.entries[fp] != nil {
			b.ending[fp] = c.now
		}
	}
	for _, fp := range c.heard {
		delete(b.ending, fp)
	}
	if c.ask {
		b.ask()
	}
	c.Policies = sortedKeys(affected)
}

func sortedKeys(set map[string]struct{}) []string { return slices.Sorted(maps.Keys(set)) }

// voice is what an entry contributes to its policies' sets of active and of
// silenced alerts. The next firing of an alert is another voice.
type voice struct {
	active, silenced bool
	since            int64
}

func speaks(e *entry) voice {
	if e == nil || !e.alert.counts() {
		return voice{}
	}
	return voice{e.alert.Active(), e.alert.silenced(), e.alert.StartsAt.UnixNano()}
}

func touch(policies map[string]struct{}, es ...*entry) {
	for _, e := range es {
		if e == nil {
			continue
		}
		for _, m := range e.matches {
			policies[m.Policy] = struct{}{}
		}
	}
}
