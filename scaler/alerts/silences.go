package alerts

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/prometheus/alertmanager/api/v2/client/silence"
	"github.com/prometheus/alertmanager/api/v2/models"

	"github.com/alertscaler/alertscaler/scaler/policy"
)

// explainSilences fills in who silenced the alerts, until when and why; it
// asks only where one of them is silenced. Each alert gets one entry for each
// ID in its SilencedBy, also with an error, and also where the silence ended
// since: then with the ID alone.
func (am *alertmanager) explainSilences(ctx context.Context, as []Alert) error {
	if !slices.ContainsFunc(as, func(a Alert) bool { return len(a.SilencedBy) > 0 }) {
		return nil
	}
	known, err := am.silences(ctx)
	for i := range as {
		for _, id := range as[i].SilencedBy {
			p, ok := known[id]
			if !ok {
				p = policy.Pause{Silence: id}
			}
			as[i].Silences = append(as[i].Silences, p)
		}
	}
	return err
}

// silences asks for the silences in force, by ID.
func (am *alertmanager) silences(ctx context.Context) (map[string]policy.Pause, error) {
	yes, no := true, false
	// An Alertmanager that does not know these parameters lists more.
	params := silence.NewGetSilencesParamsWithContext(ctx).WithActive(&yes)
	params.SetPending(&no)
	params.SetExpired(&no)
	got, err := am.api.Silence.GetSilences(params)
	if err != nil {
		return nil, fmt.Errorf("get silences: %w", describe(err))
	}
	if got.Payload == nil {
		return nil, errors.New("get silences: the answer has no list of silences")
	}
	known := make(map[string]policy.Pause, len(got.Payload))
	for _, g := range got.Payload {
		if g == nil || g.ID == nil || *g.ID == "" {
			return nil, errors.New("get silences: the answer has a silence without ID")
		}
		known[*g.ID] = pauseOf(g)
	}
	return known, nil
}

func pauseOf(g *models.GettableSilence) policy.Pause {
	p := policy.Pause{Silence: *g.ID}
	if g.CreatedBy != nil {
		p.By = *g.CreatedBy
	}
	if g.Comment != nil {
		p.Comment = *g.Comment
	}
	// An empty time is read as 1970: that is not when a silence ends.
	if g.StartsAt != nil && time.Time(*g.StartsAt).After(firstAlert) {
		p.Since = time.Time(*g.StartsAt).UTC()
	}
	if g.EndsAt != nil && time.Time(*g.EndsAt).After(firstAlert) {
		p.Until = time.Time(*g.EndsAt).UTC()
	}
	return p
}

// keepDetails replaces silences that could not be read this time by what is
// known of them. It leaves the slice as it is and returns another.
func keepDetails(now, known []policy.Pause) []policy.Pause {
	if !slices.ContainsFunc(now, idOnly) {
		return now
	}
	kept := slices.Clone(now)
	for i, p := range kept {
		if j := slices.IndexFunc(known, func(k policy.Pause) bool { return k.Silence == p.Silence }); j >= 0 && idOnly(p) {
			kept[i] = known[j]
		}
	}
	return kept
}

func sameSilences(a, b []policy.Pause) bool {
	return slices.EqualFunc(a, b, func(x, y policy.Pause) bool {
		same := x.Since.Equal(y.Since) && x.Until.Equal(y.Until)
		x.Since, x.Until, y.Since, y.Until = time.Time{}, time.Time{}, time.Time{}, time.Time{}
		return same && x == y
	})
}
