package policy

import (
	"math"
	"strings"
)

// String says what the step looked at and what it left.
func (s Step) String() string {
	switch s.Name {
	case StepTarget:
		return s.Subject + " cannot be read: " + s.Detail
	case StepForeign:
		return "someone else changed " + s.Subject + " from " + quantity(s.Value) + " to " + quantity(s.Limit)
	case StepPause:
		return s.pauseText()
	case StepBounds:
		return s.boundsText()
	case StepQuality:
		return s.qualityText()
	case StepRequirement:
		return s.Subject + " needs " + whole(quantity(s.Value), quantity(s.Limit))
	case StepDirection:
		return s.directionText()
	case StepGate:
		return s.gateText()
	case StepMissing:
		return s.missingText()
	case StepRecommendation:
		return s.recommendationText()
	case StepTolerance:
		return s.toleranceText()
	case StepFleetGuard:
		if s.Value == 0 {
			return "waits for what the other policies want" + until(s.Until)
		}
		return quantity(s.Value) + " of " + quantity(s.Limit) + " policies began to want fewer replicas at once, so none may have them" + until(s.Until)
	case StepStabilization:
		return s.stabilizationText()
	case StepStepLimit:
		return "the step limit allows " + quantity(s.Limit) + " (from " + quantity(s.Value) + ")" + until(s.Until)
	case StepCooldown:
		return s.cooldownText()
	case StepBudget:
		return s.budgetText()
	case StepMinMax:
		return s.minMaxText()
	case StepPlacement:
		return s.placementText()
	case StepVictims:
		return plural(quantity(math.Abs(s.Value)), "replica") + " of " + s.Subject + " must stay: " + s.Detail
	case StepDrain:
		return "waits for " + s.Detail + " of " + s.Subject + " to be drained, " + quantity(s.Limit-s.Value) + " of " + quantity(s.Limit) + " are, and not after " + instant(s.Until)
	case StepMovedOn:
		return s.movedOnText()
	case StepFailover:
		return s.failoverText()
	case StepMode:
		return s.modeText()
	case StepLedger:
		return "the ledger does not take what is intended, so no target is asked: " + s.Detail
	case StepInternal:
		return s.Detail + "; the count is held, and the log has the stack"
	}
	return strings.TrimSpace(s.Subject+" "+s.Detail) + until(s.Until)
}

func (s *Step) movedOnText() string {
	by := ""
	if s.Detail != "" {
		by = " (" + s.Detail + ")"
	}
	return plural(quantity(s.Value), "replica") + " of " + s.Subject + " never became ready" + by + " and " + isAre(s.Value) + " asked of another target"
}

func (s *Step) boundsText() string {
	n := float64(s.Replicas)
	switch {
	case s.Reason == ReasonBelowMin:
		return "below the minimum of " + quantity(s.Value)
	case s.Reason == ReasonAboveMax:
		return "above the maximum of " + quantity(s.Limit)
	case n < s.Value || n > s.Limit:
		return "outside " + s.span() + ", which this mode does not correct"
	}
	return "within " + s.span()
}

func (s *Step) pauseText() string {
	text := "paused by " + s.Subject
	if s.Value > 0 {
		text = "silenced"
		if s.Subject != "" {
			text += " by " + s.Subject
		}
	}
	text += until(s.Until)
	if s.Detail != "" {
		text += ": " + s.Detail
	}
	return text
}

func (s *Step) gateText() string {
	text := s.Detail + " fires and blocks every scale-" + s.Subject
	if s.Value > 1 {
		text = s.Detail + " and " + plural(quantity(s.Value-1), "other alert") + " fire and block every scale-" + s.Subject
	}
	return text
}

func (s *Step) missingText() string {
	if s.Subject == string(MissingCurrentIfHigher) {
		return "usage was unknown for too long, so on_missing asks for " + quantity(s.Value) + ", or what there is if that is more"
	}
	return "usage was unknown for too long, so on_missing asks for " + quantity(s.Value)
}

func (s *Step) qualityText() string {
	switch {
	case s.Limit > 0:
		return s.Subject + " is not fully known (" + s.Detail + ") and needs at least " + whole(quantity(s.Value), quantity(s.Limit))
	case s.Detail != "":
		return s.Subject + " is unknown (" + s.Detail + ")"
	}
	return "unknown usage supports no scale-" + s.Subject + until(s.Until)
}

// budgetText speaks of replicas or, from placement, of cost.
func (s *Step) budgetText() string {
	text := "budget " + s.Subject + " leaves " + quantity(s.Limit)
	switch {
	case s.Reason == "" && s.Detail != "":
		return text + ", " + s.Detail
	case s.Reason == "":
		return text
	}
	text += " and cuts " + quantity(s.Value)
	if s.Detail != "" {
		text += ", " + s.Detail
	}
	return text
}

func (s *Step) failoverText() string {
	text := s.Subject + " refused " + quantity(math.Abs(s.Value)) + " (" + s.Detail + ")"
	if s.Limit != 0 {
		text += ", of which others took " + quantity(math.Abs(s.Limit))
	}
	return text
}

func isAre(n float64) string {
	if n == 1 {
		return "is"
	}
	return "are"
}

func (s *Step) directionText() string {
	switch {
	case s.Reason == ReasonNoAlert:
		return "no alert is active"
	case s.Value == 1:
		return "1 active alert points " + s.Subject
	}
	return quantity(s.Value) + " active alerts point " + s.Subject
}

func (s *Step) recommendationText() string {
	switch {
	case s.Reason == ReasonFallback:
		return "on unknown usage the alert alone asks for " + count(s.Replicas)
	case s.Subject != "":
		return "the alert alone asks for " + count(s.Replicas)
	case s.Limit > float64(s.Replicas):
		return "needs " + quantity(s.Limit) + " and has " + count(s.Replicas) + ", so none can go"
	case s.Reason == ReasonSatisfied:
		return "needs " + quantity(s.Limit) + " and has " + count(s.Replicas)
	}
	return "needs " + quantity(s.Limit)
}

func (s *Step) toleranceText() string {
	change := "more"
	if s.Value < 1 {
		change = "less"
	}
	return percent(math.Abs(s.Value-1)) + " " + change + " is needed than there is, and " + percent(s.Limit) + " is tolerated"
}

func (s *Step) stabilizationText() string {
	if !s.Until.IsZero() {
		return "the stabilization window of " + seconds(s.Limit) + " is not full before " + instant(s.Until)
	}
	extreme := "highest"
	if s.Subject == string(Up) {
		extreme = "lowest"
	}
	return "the " + extreme + " recommendation of the last " + seconds(s.Limit) + " is " + quantity(s.Value)
}

func (s *Step) cooldownText() string {
	switch s.Reason {
	case ReasonConverging:
		return "the last move " + s.Subject + " has not converged"
	case ReasonCoolingDown:
		return "the cooldown of " + seconds(s.Limit) + " runs" + until(s.Until)
	}
	return "no cooldown runs"
}

func (s *Step) minMaxText() string {
	switch s.Reason {
	case ReasonAtMax:
		return "at the maximum of " + quantity(s.Limit)
	case ReasonAtMin:
		return "at the minimum of " + quantity(s.Value)
	}
	return "within " + s.span()
}

func (s *Step) placementText() string {
	n := quantity(math.Abs(s.Value))
	switch {
	case s.Value == 1:
		return "1 more waits for a target that is backed off" + until(s.Until)
	case s.Value > 0:
		return n + " more wait for a target that is backed off" + until(s.Until)
	case s.Value == -1:
		return "1 stays on a target that is backed off" + until(s.Until)
	case s.Value < 0:
		return n + " stay on a target that is backed off" + until(s.Until)
	}
	return "every replica has a target"
}

func (s *Step) modeText() string {
	if s.Subject == string(ModeOnlyScaleUp) {
		return "mode " + s.Subject + " does not act downwards"
	}
	return "mode " + s.Subject + " does not act"
}

// span is the step's two numbers as bounds.
func (s *Step) span() string { return quantity(s.Value) + ".." + quantity(s.Limit) }
