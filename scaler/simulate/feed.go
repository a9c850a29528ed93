package simulate

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/prometheus/common/model"

	"github.com/alertscaler/alertscaler/scaler/alerts"
	"github.com/alertscaler/alertscaler/scaler/policy"
)

// feed tells the book which alerts of the test fire, where that changes.
type feed struct {
	spans []span
	// changes are the times at which what fires may change, in order.
	changes []time.Time
	// firing is what the book was told of.
	firing map[string]alerts.Alert
}

// span is one alert of the test.
type span struct {
	alert    alerts.Alert
	from, to time.Time
	silence  *Silence
	// silenced until then.
	silenced time.Time
}

func newFeed(t *Test) *feed {
	f := &feed{firing: make(map[string]alerts.Alert)}
	start := time.Time(t.Start)
	for _, a := range t.Alerts {
		s := span{from: start.Add(a.From.Std()), to: endless}
		set := make(model.LabelSet, len(a.Labels))
		for name, value := range a.Labels {
			set[model.LabelName(name)] = model.LabelValue(value)
		}
		s.alert = alerts.Alert{
			Fingerprint: set.Fingerprint().String(), Status: alerts.Firing, Labels: a.Labels, StartsAt: s.from,
		}
		if a.To != nil {
			s.to = start.Add(a.To.Std())
		}
		if a.Silence != nil {
			s.silence, s.silenced = a.Silence, s.to
			if a.Silence.Until != nil {
				s.silenced = start.Add(a.Silence.Until.Std())
			}
		}
		f.spans = append(f.spans, s)
		f.changes = append(f.changes, s.from, s.to)
		if s.silence != nil {
			f.changes = append(f.changes, s.silenced)
		}
	}
	slices.SortFunc(f.changes, time.Time.Compare)
	return f
}

// at is the alert at now, as Alertmanager lists it.
func (s *span) at(now time.Time) alerts.Alert {
	a := s.alert
	if s.silence == nil || !now.Before(s.silenced) {
		return a
	}
	p := policy.Pause{
		Since: s.from, Until: s.silenced, By: s.silence.By, Comment: s.silence.Comment,
		Silence: s.silence.By + ": " + s.silence.Comment,
	}
	if p.Until.Equal(endless) {
		p.Until = time.Time{}
	}
	a.SilencedBy, a.Silences = []string{p.Silence}, []policy.Pause{p}
	return a
}

// tell brings the book up to now.
func (f *feed) tell(ctx context.Context, book *alerts.Book, now time.Time) error {
	due := 0
	for due < len(f.changes) && !f.changes[due].After(now) {
		due++
	}
	if due == 0 {
		return nil
	}
	f.changes = f.changes[due:]

	fires := make(map[string]alerts.Alert)
	var changed []alerts.Alert
	for i := range f.spans {
		s := &f.spans[i]
		if now.Before(s.from) || !now.Before(s.to) {
			continue
		}
		a := s.at(now)
		fp := a.Fingerprint
		old, ok := f.firing[fp]
		if ok {
			a.StartsAt = old.StartsAt // spans that touch are one firing
		}
		if !ok || !slices.Equal(a.Silences, old.Silences) {
			changed = append(changed, a)
		}
		fires[fp] = a
	}
	var over []alerts.Alert
	for _, fp := range slices.Sorted(maps.Keys(f.firing)) {
		if _, ok := fires[fp]; !ok {
			a := f.firing[fp]
			a.Status, a.EndsAt = alerts.Resolved, now
			over = append(over, a)
		}
	}
	f.firing = fires
	if len(over) > 0 {
		if _, err := book.Apply(ctx, alerts.Notification{Receiver: "test", GroupKey: "test", Alerts: over}); err != nil {
			return fmt.Errorf("resolve alerts: %w", err)
		}
	}
	if len(changed) > 0 {
		if _, err := book.Reconcile(ctx, alerts.Answer{RequestedAt: now, Alerts: changed}); err != nil {
			return fmt.Errorf("fire alerts: %w", err)
		}
	}
	return nil
}
