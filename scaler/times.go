package scaler

import (
	"fmt"
	"strings"
	"time"

	"github.com/go-kit/log"
	"github.com/go-kit/log/level"

	"github.com/alertscaler/alertscaler/scaler/policy"
)

// restoreMemory takes over what the last run left. What is later than now was
// written by a clock that was ahead: left as it is, it would hold the policy
// until the clock has caught up.
func (e *Engine) restoreMemory() error {
	histories, err := e.opts.Ledger.Histories()
	if err != nil {
		return fmt.Errorf("read what policies remember: %w", err)
	}
	open, err := e.opts.Ledger.OpenActions()
	if err != nil {
		return fmt.Errorf("read open actions: %w", err)
	}
	e.memory = make(map[string]leftBehind, len(histories))
	now, corrected := e.opts.Now(), e.opts.Corrected()
	for name, h := range histories {
		wereAhead(e.opts.Logger, name, h.Clamp(now))
		e.memory[name] = leftBehind{history: h, corrected: corrected}
	}
	for _, a := range open {
		if by := a.Clamp(now); by > 0 {
			wasAhead(e.opts.Logger, a.Policy, policy.Ahead{What: "open action", By: by})
		}
		m := e.memory[a.Policy]
		m.open = append(m.open, a)
		e.memory[a.Policy] = m
	}
	return nil
}

// wereAhead says in one line what of a policy was ahead, and how far at most.
func wereAhead(logger log.Logger, policyName string, found []policy.Ahead) {
	if len(found) == 0 {
		return
	}
	var what []string
	by := time.Duration(0)
	for _, a := range found {
		what = append(what, a.What)
		by = max(by, a.By)
	}
	wasAhead(logger, policyName, policy.Ahead{What: strings.Join(what, ", "), By: by})
}

func wasAhead(logger log.Logger, policyName string, a policy.Ahead) {
	level.Warn(logger).Log("msg", "a time in the ledger is later than now, was the clock set back? it counts from now", "policy", policyName, "what", a.What, "ahead", a.By.Round(time.Second))
}

// shiftTimes moves what the unit has noted along with a correction of the
// clock, so that what waits goes on waiting for as long as before.
func (u *unit) shiftTimes() {
	corrected := u.engine.opts.Corrected()
	d := corrected - u.corrected
	if d == 0 {
		return
	}
	u.corrected = corrected
	now := u.engine.opts.Now()
	u.history.Shift(d)
	// What was noted between the correction and now is not ahead for that.
	u.history.Clamp(now)
	u.actions.Shift(d, now)
	u.reader.shift(d)
	u.learning.Shift(d, now)
}
