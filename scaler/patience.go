package scaler

import "time"

const (
	// seldom is how many evaluations share a reading of a target that is left
	// alone, and longestUnread how long it goes unread at most.
	seldom        = 4
	longestUnread = time.Minute
)

// patience is which targets of a policy are read less often than it is
// evaluated: those that are left alone after a failure, and those that do not
// answer within their time, each time for longer. Alerts that change, and an
// action that is open, have them read all the same.
type patience map[string]unhurried

type unhurried struct {
	// hangs counts the readings in a row that took all their time.
	hangs int
	// due is when to read it again; zero: at each evaluation.
	due time.Time
}

// unread reports whether the target need not be read now.
func (p patience) unread(name string, now time.Time) bool { return now.Before(p[name].due) }

// read notes how a reading went: whether it took all its time in vain.
// backedOff is until when the target is not asked for more; one that only does
// not give any back is read as ever, so that a rise loses no time.
func (p *patience) read(name string, hung bool, backedOff, now time.Time, interval time.Duration) {
	was := (*p)[name]
	var is unhurried
	switch {
	case hung:
		is.hangs = was.hangs + 1
		is.due = now.Add(min(doubling(2*interval, longestUnread, was.hangs), longestUnread))
	case backedOff.After(now):
		is.due = now.Add(min(seldom*interval, longestUnread))
		if backedOff.Before(is.due) {
			is.due = backedOff
		}
	}
	switch {
	case is != unhurried{}:
		if *p == nil {
			*p = make(patience, 1)
		}
		(*p)[name] = is
	case was != unhurried{}:
		delete(*p, name)
	}
}
