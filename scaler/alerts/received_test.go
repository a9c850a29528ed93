package alerts

import (
	"testing"
	"time"

	"github.com/alertscaler/alertscaler/scaler/policy"
)

func TestReceivedAfter(t *testing.T) {
	f := newFixture(t, Options{})
	f.SetRules([]Rule{
		{Policy: "web", Direction: policy.Up, Matchers: matchers(t, `scale="up"`)},
		{Policy: "web", Direction: BlockUp, Matchers: matchers(t, `scale="block"`)},
	})
	firing := func(fp, scale string) {
		t.Helper()
		a := alertOf(fp, scale, "web")
		a.Status, a.StartsAt = Firing, f.clock.Now()
		f.apply(a)
	}
	firing("b", "block")
	f.clock.add(time.Minute)
	first := f.clock.Now()
	firing("a", "up")
	f.clock.add(time.Minute)
	second := f.clock.Now()
	firing("c", "up")

	for _, tc := range []struct {
		name  string
		after time.Time
		want  time.Time
	}{
		{"the oldest, and not the one that blocks", time.Time{}, first},
		{"later than the last move", first, second},
		{"none", second, time.Time{}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got, ok := f.ReceivedAfter("web", policy.Up, tc.after)
			if !got.Equal(tc.want) || ok == tc.want.IsZero() {
				t.Errorf("got %s, %t, want %s", got, ok, tc.want)
			}
		})
	}
	if _, ok := f.ReceivedAfter("nobody", policy.Up, time.Time{}); ok {
		t.Error("a policy that nobody knows has an alert")
	}
}
