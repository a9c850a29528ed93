package alerts

import (
	"encoding/json"
	"reflect"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/alertscaler/alertscaler/scaler/policy"
)

// whole has something in each field, so that none is forgotten.
func whole(t *testing.T) Alert {
	t.Helper()
	at := time.Date(2026, 11, 25, 3, 0, 0, 123456789, time.UTC)
	a := Alert{
		Fingerprint:  "00112233445566ff",
		Status:       Firing,
		Labels:       map[string]string{"alertname": "ScaleUp", "a\"b\\": "<&>\u2028 é\x00"},
		Annotations:  map[string]string{"summary": "too little"},
		StartsAt:     at,
		EndsAt:       at.Add(time.Second),
		GeneratorURL: "http://prometheus/graph?a=b&c=d",
		GroupKey:     `{}:{alertname="ScaleUp"}`,
		Receiver:     "scaler",
		ReceivedAt:   at.Add(2 * time.Second),
		LastSeen:     at.Add(3 * time.Second),
		Unconfirmed:  true,
		SilencedBy:   []string{"s1", "s2"},
		InhibitedBy:  []string{"i1"},
		Silences:     []policy.Pause{{Silence: "s1", Comment: "why"}, {Silence: "s2"}},
		Policies:     []string{"web"},
	}
	v := reflect.ValueOf(a)
	for i := range v.NumField() {
		if v.Field(i).IsZero() {
			t.Fatalf("%s is empty", v.Type().Field(i).Name)
		}
	}
	return a
}

func TestAppendJSON(t *testing.T) {
	for name, a := range map[string]Alert{
		"whole":         whole(t),
		"empty":         {},
		"no labels":     {Labels: map[string]string{}},
		"other zone":    {StartsAt: time.Date(2026, 1, 1, 0, 0, 0, 0, time.FixedZone("", 3600))},
		"invalid UTF-8": {Labels: map[string]string{"a": "\xff"}},
	} {
		t.Run(name, func(t *testing.T) { sameAsMarshal(t, a) })
	}
}

func TestAppendJSONRefuses(t *testing.T) {
	before := []byte("kept")
	got, err := Alert{Fingerprint: "ab", LastSeen: time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC)}.AppendJSON(before)
	if err == nil {
		t.Fatal("a year of five digits is no error")
	}
	if string(got) != "kept" {
		t.Errorf("what was there before became %q", got)
	}
}

func TestAppendJSONProperty(t *testing.T) {
	texts := rapid.String()
	rapid.Check(t, func(t *rapid.T) {
		pairs := rapid.MapOf(texts, texts)
		sameAsMarshal(t, Alert{
			Fingerprint:  texts.Draw(t, "fingerprint"),
			Status:       Firing,
			Labels:       pairs.Draw(t, "labels"),
			Annotations:  pairs.Draw(t, "annotations"),
			StartsAt:     time.Unix(0, rapid.Int64().Draw(t, "starts")).UTC(),
			GeneratorURL: texts.Draw(t, "url"),
			SilencedBy:   rapid.SliceOf(texts).Draw(t, "silenced"),
		})
	})
}

// sameAsMarshal wants what is read back to be what it is by json.Marshal.
func sameAsMarshal(t rapid.TB, a Alert) {
	t.Helper()
	text, err := a.AppendJSON(nil)
	if err != nil {
		t.Fatal(err)
	}
	marshalled, err := json.Marshal(a)
	if err != nil {
		t.Fatal(err)
	}
	var got, want any // also what is left out
	if err := json.Unmarshal(text, &got); err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	if err := json.Unmarshal(marshalled, &want); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Fatalf("(-json.Marshal +AppendJSON)\n%s", d)
	}
}

func BenchmarkAppendJSON(b *testing.B) {
	a := Alert{
		Fingerprint: "00112233445566ff", Status: Firing,
		Labels:      map[string]string{"alertname": "ScaleUp", "scale": "up", "scale_target": "web", "resource": "cpu", "severity": "info"},
		Annotations: map[string]string{"summary": "Usage and reservation exceed the capacity of the target."},
		StartsAt:    time.Now(), ReceivedAt: time.Now(), LastSeen: time.Now(),
	}
	b.Run("append", func(b *testing.B) {
		var buf []byte
		for b.Loop() {
			var err error
			if buf, err = a.AppendJSON(buf[:0]); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("marshal", func(b *testing.B) {
		for b.Loop() {
			if _, err := json.Marshal(a); err != nil {
				b.Fatal(err)
			}
		}
	})
}
