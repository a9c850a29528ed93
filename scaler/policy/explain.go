package policy

import (
	"math"
	"strings"

	"github.com/alertscaler/alertscaler/scaler/policy/objective"
)

// Explain says in one line what was decided and why, as an operator would
// want to read it:
//
//	web 6 → 9 (scaled_up): cpu uses 11 and keeps 5.5 free, which takes 8.25 replicas of 2, so 9; capped by nothing
func (d *Decision) Explain() string {
	var b strings.Builder
	b.WriteString(d.outcome())
	sep := ": "
	say := func(text string) {
		b.WriteString(sep)
		b.WriteString(text)
		sep = "; "
	}
	for i := range d.Requirements {
		say(d.Requirements[i].String())
	}
	for i := range d.Steps {
		if s := &d.Steps[i]; s.decisive() || (d.Act && s.Name == StepStepLimit) {
			say(s.String())
		}
	}
	if d.Act && (d.Reason == ReasonScaledUp || d.Reason == ReasonScaledDown) {
		say("capped by nothing")
	}
	return b.String()
}

// outcome is what happens to the count.
func (d *Decision) outcome() string {
	reason := " (" + string(d.Reason) + ")"
	switch {
	case d.Desired == d.Current:
		return d.Policy + " stays at " + count(d.Current) + reason
	case !d.Act:
		return d.Policy + " would go " + count(d.Current) + " → " + count(d.Desired) + reason
	}
	return d.Policy + " " + count(d.Current) + " → " + count(d.Desired) + reason
}

// decisive steps held or changed the count in a way that the requirements do
// not tell already.
func (s *Step) decisive() bool {
	switch {
	case s.Name == StepForeign, s.Name == StepFailover:
		return true
	case s.Name == StepBudget && s.Detail != "":
		return true
	case s.Reason == "":
		return false
	case s.Name == StepQuality:
		return s.Detail == ""
	case s.Name == StepRecommendation && s.Subject == "":
		return s.Reason == ReasonSatisfied
	}
	return true
}

// String says what the resource needs.
func (q Requirement) String() string {
	if q.Problem != "" {
		text := q.Resource + " is unknown (" + string(q.Problem)
		if q.Detail != "" {
			text += ": " + q.Detail
		}
		text += ")"
		if q.lowerBound() {
			text += ", but at least " + plural(count(q.Replicas), "replica") + " are needed"
		}
		return text
	}
	text := q.Resource + " uses " + quantity(q.Usage)
	e := q.largest()
	switch {
	case e != nil:
		text += " and keeps " + quantity(q.Reserved) + " free (" + q.setting(e) + ")"
	case q.Reserved > 0:
		text += " and keeps " + quantity(q.Reserved) + " free"
	}
	text += ", which takes " + plural(quantity(q.need()), "replica") + " of " + quantity(q.CapacityPerReplica)
	if n := count(q.Replicas); n != quantity(q.need()) {
		text += ", so " + n
	}
	if q.PredictedReplicas > q.Replicas {
		text += "; " + quantity(q.Predicted) + " are predicted, which takes " + count(q.PredictedReplicas)
	}
	return text
}

// largest is the entry that decides what is reserved, where there is one. Where
// nothing is, an objective says why.
func (q *Requirement) largest() *Entry {
	var found *Entry
	for i := range q.Reservations {
		if e := &q.Reservations[i]; (e.Amount > 0 || e.Kind == EntryObjective) && (found == nil || e.Amount > found.Amount) {
			found = e
		}
	}
	return found
}

// aimedAt is the share of the time, below 1, or the shortage price, above 1,
// that what was learnt is for: the highest of those that are set.
func (q *Requirement) aimedAt() float64 {
	highest := 0.0
	for i := range q.Reservations {
		if e := &q.Reservations[i]; e.Kind == EntryObjective {
			highest = max(highest, e.Setting)
		}
	}
	return highest
}

// objectiveText says what is aimed at, what is forecast, with which margin, from
// how much that was seen, and what came of it so far.
func objectiveText(aimedAt float64, l *objective.Reading) string {
	text := "objective " + percent(aimedAt) + " of the time: "
	if aimedAt > 1 {
		text = "objective: a missing replica costs " + quantity(aimedAt) + ": "
	}
	switch {
	case l == nil:
		return text + "nothing observed yet, as careful as a ratio of " + percent(objective.ColdRatio)
	case l.CutOff:
		return text + "usage is all that there is, so it may be cut off, and more is asked for"
	case l.Cold:
		return text + "as careful as a ratio of " + percent(objective.ColdRatio) + " after " + plural(count(int(l.Observations)), "observation")
	}
	text += playedText(l) + ", from " + plural(count(int(l.Observations)), "observation")
	switch {
	case !l.Counted && l.Price > 0:
		return text + "; how much of the demand was lost is not known yet"
	case !l.Counted:
		return text + "; how often there was too little is not known yet"
	case l.Price > 0:
		return text + "; lost " + percent(l.Lost) + " of the demand so far"
	}
	return text + "; under capacity " + percent(l.Realised) + " of the time so far"
}

// playedText says by which forecast how much is kept, with which margin. Where
// several have a say it names the one that has the most.
func playedText(l *objective.Reading) string {
	forecast := l.Forecast
	if l.Season > 0 && strings.Contains(forecast, "season") {
		forecast += " (" + l.Season.String() + ")"
	}
	sign, added := " + ", l.Added
	if added < 0 {
		sign, added = " - ", -added
	}
	if l.Weight == 0 || l.Weight >= nearlyAll {
		return forecast + " " + quantity(l.Expected) + sign + quantity(added) + " by " + l.Margin
	}
	return quantity(l.Expected) + sign + quantity(added) + " of several forecasts, " +
		percent(math.Round(100*l.Weight)/100) + " by " + forecast + " with " + l.Margin
}

// nearlyAll is the weight of a forecast beside which the others need no word.
const nearlyAll = 0.995

// setting is one of q's entries as people speak of it.
func (q *Requirement) setting(e *Entry) string {
	switch e.Kind {
	case EntryRatio:
		return percent(e.Setting)
	case EntryReplicas:
		return plural(quantity(e.Setting), "replica")
	case EntryThreshold:
		return "at least " + quantity(e.Setting)
	case EntryObjective:
		return objectiveText(q.aimedAt(), e.Learnt)
	case EntrySchedule:
	}
	return e.Name()
}
