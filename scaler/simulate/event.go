package simulate

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/alertscaler/alertscaler/scaler/policy"
)

// happen makes an event happen at the present time.
func (w *world) happen(ctx context.Context, e *Event) error {
	switch {
	case e.Restart:
		return w.start(ctx)
	case e.Retry:
		if found, _ := w.engine.Retry(e.Policy); !found {
			return fmt.Errorf("retry policy %s: the engine does not know it", e.Policy)
		}
		return nil
	case e.Pause != nil || e.Resume:
		return w.pause(e)
	}
	until := endless
	if e.Until != nil {
		until = time.Time(w.test.Start).Add(e.Until.Std())
	}
	_, names := e.targets()
	for _, name := range names {
		w.platforms[targetKey{e.Policy, name}].happen(func(p *platform, now time.Time) {
			switch {
			case e.Set != nil:
				p.take(e.Set[name], now)
			case e.Refuse != nil:
				p.refuses, p.refusesUntil = e.Refuse[name], until
			case e.Unreadable != nil:
				p.hiddenUntil = until
			case e.Lose != nil:
				p.lose(e.Lose[name], now)
			case e.NeverReady != nil:
				p.stillborn, p.stillbornUntil = int(e.NeverReady[name]), until
			case e.ShowsAfter != nil:
				p.showsAfter = e.ShowsAfter[name].Std()
			default:
				p.limit = e.Limit[name]
			}
		})
	}
	return nil
}

func (w *world) pause(e *Event) error {
	var found bool
	var err error
	if e.Resume {
		found, _, err = w.engine.Resume(e.Policy)
	} else {
		p := policy.Pause{Since: w.clock(), By: e.Pause.By, Comment: e.Pause.Comment}
		switch {
		case e.Pause.For != nil:
			p.Until = w.clock().Add(e.Pause.For.Std())
		case e.Pause.Until != nil:
			p.Until = time.Time(w.test.Start).Add(e.Pause.Until.Std())
		}
		found, err = w.engine.Pause(e.Policy, p)
	}
	if err == nil && !found {
		err = errors.New("the engine does not know it")
	}
	if err != nil {
		return fmt.Errorf("pause or resume policy %s: %w", e.Policy, err)
	}
	return nil
}
