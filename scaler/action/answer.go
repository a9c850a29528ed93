package action

import "time"

// Verdict is what a platform's answer means for the number that it was asked
// for.
type Verdict int

// The verdicts. The zero one is that the platform took the number.
const (
	// Took: the platform accepted the number.
	Took Verdict = iota
	// Had: the platform had that number already.
	Had
	// Overtaken: someone else has set another number meanwhile, so that the
	// decision no longer stands.
	Overtaken
	// Contended: others write all the time, and the number is still the one
	// that was decided upon.
	Contended
	// Throttled: it was asked too often. That counts as no failure.
	Throttled
	// Unanswered: nobody knows whether the platform took it. A later try may
	// succeed.
	Unanswered
	// Refused: the platform did not take it, and will not take it soon.
	Refused
)

// Failure is why a platform did not do what it was asked for.
type Failure struct {
	Verdict Verdict
	// Kind is that of the error, of package target, and Text the error in
	// words.
	Kind, Text string
	// RetryAfter is the platform's own word on when to try again; 0: none.
	RetryAfter time.Duration
}

// Answer is what came of asking a platform for a number. The zero answer is its
// consent; every other Verdict than Took has a Kind and a Text.
type Answer struct {
	Failure
	// Broke says what mistake of the program ended the call; empty: none did.
	// The Verdict is Unanswered then.
	Broke string
}

// Reading is what a target has shown last.
type Reading struct {
	Target string
	// Requested is the count that the platform was last asked for, by anyone,
	// and Ready how many replicas serve. Where Problem is set they are the last
	// that were read, 0 where none were.
	Requested, Ready int
	// Min and Max are the platform's own bounds; Max 0 means it has none.
	Min, Max int
	// Problem says why the target cannot be read now; empty: it was read.
	Problem string
	// GaveUp is why the platform gave up on the last request that it had
	// accepted; nil where it did not.
	GaveUp *Failure
}

// readings are those of a policy's few targets.
type readings []Reading

// of is what a target has shown; nil where the policy has no such target.
func (rs readings) of(name string) *Reading {
	for i := range rs {
		if rs[i].Target == name {
			return &rs[i]
		}
	}
	return nil
}
