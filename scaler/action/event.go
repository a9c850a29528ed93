package action

import "time"

// Happening is the kind of an event.
type Happening int

// The happenings, and the fields of Event that each of them sets beside
// Target.
const (
	// Consented: the target took Action.
	Consented Happening = iota
	// Declined: the target did not take Action, or gave it up later; it is left
	// alone until Until.
	Declined
	// Contention: others wrote whenever Action was asked for; the target is left
	// alone until Until.
	Contention
	// Outdated: someone else set another number before Action was taken, so
	// that the policy is to be decided anew.
	Outdated
	// ShownNever: Action was intended by an earlier run, and the target shows
	// Found, so that it was never asked.
	ShownNever
	// ShownLate: the target shows that it took Action, whose answer was lost.
	ShownLate
	// ShownOther: the target shows Found and no longer what Action asked for.
	ShownOther
	// Ready: the replicas of Action are ready, after Took.
	Ready
	// Late: the replicas of Action were not ready within the time that they
	// have.
	Late
	// Fulfilled: the target has what it was asked for before, with Found
	// requested, so that it may be asked again before its time.
	Fulfilled
	// Foreign: someone else changed the target from Was to Found.
	Foreign
	// Quiet: nobody else changes the targets any more. It has no Target.
	Quiet
)

// Event is something that happened, for those who log and count it.
type Event struct {
	Happening Happening
	Target    string
	// Action is the one that it happened to, as it is now; nil where it
	// happened to none.
	Action *Action
	// Failure is why it was declined.
	Failure    Failure
	Was, Found int
	Took       time.Duration
	Until      time.Time
}

// of is an event of an action.
func of(h Happening, a *Action) Event {
	is := *a
	return Event{Happening: h, Target: a.Target, Action: &is}
}
