package alerts

import (
	"context"
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"
)

// listedAlert is an alert as another decoder than the one under test finds it.
type listedAlert struct {
	Fingerprint *string
	StartsAt    *string
	Labels      map[string]string
	Status      *struct {
		State                   *string
		SilencedBy, InhibitedBy *[]*string
	}
}

// whole reports whether everything is there that the book goes by.
func (a listedAlert) whole() bool {
	given := func(ids *[]*string) bool {
		return ids != nil && *ids != nil && !slices.ContainsFunc(*ids, func(id *string) bool { return id == nil || *id == "" })
	}
	return a.Fingerprint != nil && *a.Fingerprint != "" && a.StartsAt != nil && *a.StartsAt != "" && a.Status != nil && given(a.Status.SilencedBy) && given(a.Status.InhibitedBy)
}

// listOf is what an answer lists; false: it is no list of whole alerts, and
// nothing else.
func listOf(answer string) ([]listedAlert, bool) {
	var all []*listedAlert
	if json.Unmarshal([]byte(answer), &all) != nil || all == nil {
		return nil, false
	}
	list := make([]listedAlert, 0, len(all))
	for _, a := range all {
		if a == nil || !a.whole() {
			return nil, false
		}
		list = append(list, *a)
	}
	return list, true
}

// FuzzAlertmanager lets the fuzzer say what Alertmanager answers. An alert
// leaves the book only by a list of whole alerts that lacks it, of an
// Alertmanager that says when it started; and it is no longer silenced or
// inhibited only where such a list says so of it.
func FuzzAlertmanager(f *testing.F) {
	settled := uptime(t0.Add(-time.Hour))
	f.Add("[]", settled, oneSilence)
	f.Add(oneAlert, settled, "[]")
	f.Add(silencedAlert(), settled, oneSilence)
	f.Add(silencedAlert(), uptime(t0.Add(time.Hour)), "[null]")
	for _, answer := range []string{"", "null", "{}", "[null]", "[{}]", "[][]", "<html>", `"[]"`, `{"data":[]}`, "[]\n\n", `[{"fingerprint":"a1"}]`} {
		f.Add(answer, settled, answer)
		f.Add("[]", answer, answer)
		f.Add(silencedAlert(), settled, answer)
	}
	for _, up := range []string{`""`, "null", "0", `"1970-01-01T00:00:00Z"`, `"2027-01-01T00:00:00Z"`, `"yesterday"`} {
		f.Add("[]", `{"uptime":`+up+`}`, "[]")
	}
	for _, part := range []string{`"silencedBy":["s2","s1"],`, `"fingerprint":"a1",`, `"startsAt":"2026-01-05T07:59:00Z",`, `,"state":"suppressed"`} {
		for _, silenced := range []string{strings.Replace(silencedAlert(), part, "", 1), strings.Replace(silencedAlert(), part, part+part, 1)} {
			f.Add(silenced, settled, oneSilence)
		}
	}
	f.Fuzz(func(t *testing.T, alerts, status, silences string) {
		b, before := held(t)
		r := b.reconciler(ReconcilerOptions{URL: amURL, Transport: answers{"alerts": alerts, "status": status, "silences": silences}})
		err := r.Reconcile(context.Background())
		after := make(map[string]Alert)
		for _, a := range b.Alerts() {
			after[a.Fingerprint] = a
		}
		list, isList := listOf(alerts)
		var says struct{ Uptime *string }
		_ = json.Unmarshal([]byte(status), &says)
		started := says.Uptime != nil && strings.HasPrefix(*says.Uptime, "20")
		if err == nil && (!isList || !started) {
			t.Errorf("no error, for a list (%t) and a start (%t)", isList, started)
		}
		for _, was := range before {
			i := slices.IndexFunc(list, func(a listedAlert) bool { return *a.Fingerprint == was.Fingerprint })
			is, kept := after[was.Fingerprint]
			switch {
			case !kept && (!isList || !started || i >= 0):
				t.Errorf("%s is gone, for a list (%t) that has it (%d) and a start (%t)", was.Fingerprint, isList, i, started)
			case kept && (len(is.SilencedBy) < len(was.SilencedBy) || len(is.InhibitedBy) < len(was.InhibitedBy)) && (!isList || i < 0):
				t.Errorf("%s is held no longer: %+v, and was %+v", was.Fingerprint, is, was)
			case kept && is.silenced() && len(is.Silences) == 0:
				t.Errorf("%s is silenced by nobody: %+v", was.Fingerprint, is)
			}
			for _, s := range is.Silences {
				if !s.Until.IsZero() && s.Until.Year() < 2000 {
					t.Errorf("%s: the silence ends at %s", was.Fingerprint, s.Until)
				}
			}
		}
	})
}
