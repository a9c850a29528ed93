package alerts

import "time"

// defaultMaxAhead is how far ahead of the book's clock a time may be that another
// clock has told.
const defaultMaxAhead = time.Minute

// dated is the alert with now in place of times that lie ahead: no alert has
// begun yet, or ended, that one can hear of. Where a firing that is known is
// dated ahead, that is no news of another one.
func (c *change) dated(a Alert) Alert {
	if a.StartsAt.Sub(c.now) > c.book.maxAhead {
		a.StartsAt = c.now.UTC()
		if known, ok := c.get(a.Fingerprint); ok {
			a.StartsAt = known.StartsAt
		}
	}
	if a.EndsAt.Sub(c.now) > c.book.maxAhead {
		a.EndsAt = c.now.UTC()
	}
	return a
}

// rebase gives a stored time the reading of the monotonic clock that it would
// have had, so that a step of the clock does not make it older. One that lies
// ahead, because the clock has gone back since, becomes now.
func rebase(t, now time.Time) (rebased time.Time, wasAhead bool) {
	if t.IsZero() {
		return t, false
	}
	age := now.Sub(t) // by the wall clock: t has no other
	return now.Add(-max(age, 0)), age < 0
}

// plain is the alert as it is stored and handed out: in UTC, which takes the
// monotonic clock's reading away.
func (a Alert) plain() Alert {
	a.ReceivedAt, a.LastSeen = a.ReceivedAt.UTC(), a.LastSeen.UTC()
	return a
}
