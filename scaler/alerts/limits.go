package alerts

import (
	"errors"
	"fmt"
)

// Defaults of Options.
const (
	DefaultMaxUnmatched  = 10_000
	DefaultMaxAlertBytes = 64 << 10
	DefaultMaxPerPolicy  = 10_000
	DefaultMaxBytes      = 128 << 20
)

const (
	// alertBytes is what the book spends on an alert beside its texts, and
	// pairBytes on one label or annotation.
	alertBytes = 512
	pairBytes  = 32
	// unmatchedShare is which part of Options.MaxBytes alerts may take that
	// speak for no policy.
	unmatchedShare = 4
	// defaultMaxTombs bounds the ends that are remembered, of some 200 bytes each.
	// What is not remembered may come back late, and goes again with the next
	// resolved, reconciliation or the TTL.
	defaultMaxTombs = 100_000
)

// What Apply could not take in of a notification. The rest of it is in the
// book.
var (
	// ErrFull is of alerts for which there is no room now. Sending them again
	// helps once there is.
	ErrFull = errors.New("the book of alerts is full")
	// ErrTooLarge is of alerts whose labels alone are more than one alert may
	// have. Sending them again does not help.
	ErrTooLarge = errors.New("alerts are too large")
)

// refusal is why an alert is not taken in.
type refusal int

const (
	refusedAlertSize refusal = iota
	refusedPolicyFull
	refusedBookFull
	refusedUnmatched
	refusals
)

func (r refusal) String() string {
	return [...]string{"alert_size", "policy_full", "book_full", "unmatched"}[r]
}

// refused is what one notification could not have taken in.
type refused struct {
	by [refusals]int
	// policy is one that is full, largest the size of the largest alert that
	// is too large.
	policy  string
	largest int
}

// size is what the alert takes in the book, in bytes.
func (a *Alert) size() int { return pairBytesOf(a.Labels) + a.restBytes() }

// restBytes is the size without the labels.
func (a *Alert) restBytes() int {
	return alertBytes + len(a.Fingerprint) + len(a.GeneratorURL) + len(a.GroupKey) + len(a.Receiver) + pairBytesOf(a.Annotations)
}

func pairBytesOf(kv map[string]string) int {
	n := 0
	for name, value := range kv {
		n += pairBytes + len(name) + len(value)
	}
	return n
}

// trim has an alert, whose labels take so many bytes, and which is larger than
// maximum, do without what nothing is decided by, and returns its size. It may
// still be larger.
func (a *Alert) trim(labels, maximum int) (size int, trimmed bool) {
	if size = labels + a.restBytes(); size <= maximum {
		return size, false
	}
	a.Annotations, a.GeneratorURL = nil, ""
	if size = labels + a.restBytes(); size > maximum {
		a.GroupKey, a.Receiver = "", ""
		size = labels + a.restBytes()
	}
	return size, true
}

// admit reports whether there is room for an alert that the book does not
// have. Alerts that speak for no policy make room for those that do, and those
// that Alertmanager has not confirmed for those that it has; nothing else is
// ever displaced.
func (c *change) admit(a *Alert, ms []Match) bool {
	b := c.book
	size, trimmed := a.trim(pairBytesOf(a.Labels), b.maxAlertBytes)
	if trimmed {
		c.trimmed++
	}
	switch {
	case size > b.maxAlertBytes:
		if len(ms) == 0 {
			return c.refuse(refusedUnmatched)
		}
		c.largest = max(c.largest, size)
		return c.refuse(refusedAlertSize)
	case len(ms) == 0:
		if len(b.unmatched)+c.newUnmatched >= b.maxUnmatched ||
			b.unmatchedBytes+c.newUnmatchedBytes+size > b.maxBytes/unmatchedShare || b.bytes+c.newBytes+size > b.maxBytes {
			return c.refuse(refusedUnmatched)
		}
		c.newUnmatched++
		c.newUnmatchedBytes += size
		return true
	}
	if full, ok := c.full(ms); ok && (a.Unconfirmed || !c.displaceFrom(full)) {
		c.policy = full
		return c.refuse(refusedPolicyFull)
	}
	if !c.makeRoom(size, !a.Unconfirmed) {
		return c.refuse(refusedBookFull)
	}
	for _, p := range policiesOf(ms) {
		c.share(p, 1)
	}
	return true
}

// fit has an alert that the book knows keep to the bounds: it does without new
// annotations that are too large.
func (c *change) fit(a *Alert, known Alert) {
	size, trimmed := a.trim(c.labelBytes(*a), c.book.maxAlertBytes)
	if trimmed {
		c.trimmed++
	}
	if more := size - c.size(a.Fingerprint); more > 0 && c.book.bytes+c.newBytes+more > c.book.maxBytes {
		a.Annotations, a.GeneratorURL, a.GroupKey, a.Receiver = known.Annotations, known.GeneratorURL, known.GroupKey, known.Receiver
	}
}

func (c *change) refuse(r refusal) bool {
	c.by[r]++
	return false
}

// full returns a policy that has as many alerts as one may have, where all do
// that these matches name.
func (c *change) full(ms []Match) (name string, ok bool) {
	for _, m := range ms {
		p := c.book.policies[m.Policy]
		if p == nil || len(p.fingerprints)+c.shares[m.Policy] < c.book.maxPerPolicy {
			return "", false
		}
	}
	return ms[0].Policy, true
}

func (c *change) share(name string, by int) {
	if c.shares == nil {
		c.shares = make(map[string]int)
	}
	c.shares[name] += by
}

// displaceFrom takes an alert out of the policy that Alertmanager has not
// confirmed, and reports whether there was one.
func (c *change) displaceFrom(name string) bool {
	s, known := c.spareOf[name]
	if !known {
		s = new(spare)
		for fp := range c.book.policies[name].fingerprints {
			if e := c.book.entries[fp]; e.alert.Unconfirmed {
				s.add(fp, e.size)
			}
		}
		if c.spareOf == nil {
			c.spareOf = make(map[string]*spare)
		}
		c.spareOf[name] = s
	}
	leave := s.take(c, 1)
	for _, fp := range leave {
		c.displace(fp)
	}
	return len(leave) > 0
}

func (c *change) displace(fp string) {
	for _, p := range policiesOf(c.book.entries[fp].matches) {
		c.share(p, -1)
	}
	c.plan(fp, pending{removed: true, stored: true})
}

// makeRoom reports whether size more bytes fit into the book, and has others
// go where they would not.
func (c *change) makeRoom(size int, unconfirmedGo bool) bool {
	b := c.book
	over := b.bytes + c.newBytes + size - b.maxBytes
	if over <= 0 {
		return true
	}
	if c.spareUnmatched == nil {
		c.findSpare()
	}
	left := c.spareUnmatched.bytes
	if unconfirmedGo {
		left += c.spareUnconfirmed.bytes
	}
	if over > left {
		return false
	}
	unmatched := c.spareUnmatched.take(c, over)
	over -= c.sizeOf(unmatched)
	var unconfirmed []string
	if over > 0 && unconfirmedGo {
		unconfirmed = c.spareUnconfirmed.take(c, over)
		over -= c.sizeOf(unconfirmed)
	}
	if over > 0 {
		c.spareUnmatched.put(c, unmatched)
		c.spareUnconfirmed.put(c, unconfirmed)
		return false
	}
	for _, fp := range append(unmatched, unconfirmed...) {
		c.displace(fp)
	}
	return true
}

// findSpare lists, once a change, what may go from the book.
func (c *change) findSpare() {
	b := c.book
	c.spareUnmatched, c.spareUnconfirmed = new(spare), new(spare)
	for fp := range b.unmatched {
		c.spareUnmatched.add(fp, b.entries[fp].size)
	}
	for fp := range b.unconfirmed {
		if e := b.entries[fp]; len(e.matches) > 0 {
			c.spareUnconfirmed.add(fp, e.size)
		}
	}
}

func (c *change) sizeOf(fps []string) int {
	n := 0
	for _, fp := range fps {
		n += c.book.entries[fp].size
	}
	return n
}

// spare are alerts of the book that may go for others, each looked at once a
// change: a notification of many that are refused takes no longer for that.
type spare struct {
	fingerprints []string
	// bytes are no less than those take in the book that may still go.
	bytes int
}

func (s *spare) add(fp string, size int) {
	s.fingerprints = append(s.fingerprints, fp)
	s.bytes += size
}

// take returns some of so many bytes together, or all that are left.
func (s *spare) take(c *change, bytes int) (taken []string) {
	for bytes > 0 && len(s.fingerprints) > 0 {
		last := len(s.fingerprints) - 1
		fp := s.fingerprints[last]
		size := c.book.entries[fp].size
		s.fingerprints = s.fingerprints[:last]
		s.bytes -= size
		if c.pending[fp] == nil {
			taken, bytes = append(taken, fp), bytes-size
		}
	}
	return taken
}

// put gives back what was taken and did not go.
func (s *spare) put(c *change, fps []string) {
	for _, fp := range fps {
		s.add(fp, c.book.entries[fp].size)
	}
}

// policiesOf are the policies of the matches, which are sorted, each once.
func policiesOf(ms []Match) []string {
	var names []string
	for i, m := range ms {
		if i == 0 || m.Policy != ms[i-1].Policy {
			names = append(names, m.Policy)
		}
	}
	return names
}

// err says what was refused of a notification of so many alerts.
func (r refused) err(b *Book, alerts int) error {
	policyFull, bookFull, size := r.by[refusedPolicyFull], r.by[refusedBookFull], r.by[refusedAlertSize]
	switch {
	case policyFull > 0:
		return fmt.Errorf("%w: %d of %d alerts were refused, because policy %q has %d already, which is the most that one policy may have; the others were taken in",
			ErrFull, policyFull+bookFull+size, alerts, r.policy, b.maxPerPolicy)
	case bookFull > 0:
		return fmt.Errorf("%w: %d of %d alerts were refused, because all alerts together take the %d bytes that they may; the others were taken in",
			ErrFull, bookFull+size, alerts, b.maxBytes)
	case size > 0:
		return fmt.Errorf("%w: %d of %d alerts were refused, because the labels of one alert take %d bytes and at most %d are kept; the others were taken in",
			ErrTooLarge, size, alerts, r.largest, b.maxAlertBytes)
	}
	return nil
}
