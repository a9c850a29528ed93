package window_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/alertscaler/alertscaler/scaler/window"
)

func recurring(t *testing.T, cron string, d time.Duration, zone string) *window.Window {
	t.Helper()
	w, err := window.New(cron, d, zone)
	if err != nil {
		t.Fatal(err)
	}
	return w
}

// TestRefusals: an error names the argument and says what would be right.
func TestRefusals(t *testing.T) {
	for _, test := range []struct {
		cron     string
		duration time.Duration
		zone     string
		want     string
	}{
		{"", time.Hour, "UTC", "cron: is missing; write when the window begins as five fields"},
		{"@daily", time.Hour, "UTC", `cron: "@daily" is a shorthand; write five fields`},
		{"TZ=UTC 0 8 * * *", time.Hour, "UTC", `cron: "TZ=UTC 0 8 * * *" names a time zone; use the key timezone`},
		{"0 8 * *", time.Hour, "UTC", `cron: "0 8 * *" is not a cron expression of five fields`},
		{"0 eight * * *", time.Hour, "UTC", "eight is not a number"},
		{"0 8 30 2 *", time.Hour, "UTC", `cron: "0 8 30 2 *" never matches`},
		{"0 8 * * *", 0, "UTC", "duration: must be longer than 0s"},
		{"0 8 * * *", time.Hour, "Local", `timezone: "Local" is not a time zone`},
		{"0 8 * * *", time.Hour, "Europe/Atlantis", `timezone: "Europe/Atlantis" is not a time zone`},
	} {
		_, err := window.New(test.cron, test.duration, test.zone)
		if _, ok := errors.AsType[*window.Error](err); !ok || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%q for %s in %s: %v; want it to say: %s", test.cron, test.duration, test.zone, err, test.want)
		}
	}
}

// spansOf are the stretches of [from, to) within the window, found minute by
// minute, as "from/until" in the zone's own clock with its offset.
func spansOf(w *window.Window, location *time.Location, from, to time.Time) []string {
	const layout = "01-02 15:04 -0700"
	var out []string
	var begun time.Time
	for t := from; !t.After(to); t = t.Add(time.Minute) {
		within := t.Before(to) && w.Contains(t)
		switch {
		case within && begun.IsZero():
			begun = t
		case !within && !begun.IsZero():
			out = append(out, begun.In(location).Format(layout)+" / "+t.In(location).Format(layout))
			begun = time.Time{}
		}
	}
	return out
}

// TestWindowOnTheDaysWhenClocksChange: one line a span. Berlin skips 02:00 to
// 03:00 in spring and has it twice in autumn; Lord Howe changes by half an
// hour, at 02:00, and is ten and a half or eleven hours ahead.
func TestWindowOnTheDaysWhenClocksChange(t *testing.T) {
	for _, test := range []struct {
		name     string
		cron     string
		duration time.Duration
		zone     string
		// day is when to look, in the zone, and for how many hours.
		day   string
		hours int
		want  []string
	}{
		{
			"an ordinary day", "0 8 * * 1-5", 2 * time.Hour, "Europe/Berlin", "2026-01-05", 24,
			[]string{"01-05 08:00 +0100 / 01-05 10:00 +0100"},
		},
		{"a weekend", "0 8 * * 1-5", 2 * time.Hour, "Europe/Berlin", "2026-01-03", 48, nil},
		{
			"over midnight", "0 23 * * *", 2 * time.Hour, "Europe/Berlin", "2026-01-05", 24,
			[]string{"01-05 00:00 +0100 / 01-05 01:00 +0100", "01-05 23:00 +0100 / 01-06 00:00 +0100"},
		},
		{
			"UTC knows no change", "30 2 * * *", time.Hour, "UTC", "2026-03-29", 24,
			[]string{"03-29 02:30 +0000 / 03-29 03:30 +0000"},
		},

		{
			"Berlin spring: a skipped start begins after the gap", "30 2 * * *", time.Hour, "Europe/Berlin", "2026-03-29", 24,
			[]string{"03-29 03:00 +0200 / 03-29 04:00 +0200"},
		},
		{
			"Berlin spring: two skipped starts begin together", "0,30 2 * * *", 10 * time.Minute, "Europe/Berlin", "2026-03-29", 24,
			[]string{"03-29 03:00 +0200 / 03-29 03:10 +0200"},
		},
		{
			"Berlin spring: elapsed time", "0 1 * * *", 2 * time.Hour, "Europe/Berlin", "2026-03-29", 24,
			[]string{"03-29 01:00 +0100 / 03-29 04:00 +0200"},
		},
		{
			"Berlin spring: every hour goes by the clock", "30 * * * *", 10 * time.Minute, "Europe/Berlin", "2026-03-29", 4,
			[]string{
				"03-29 00:30 +0100 / 03-29 00:40 +0100",
				"03-29 01:30 +0100 / 03-29 01:40 +0100",
				"03-29 03:30 +0200 / 03-29 03:40 +0200",
				"03-29 04:30 +0200 / 03-29 04:40 +0200",
			},
		},
		{
			"Berlin autumn: a start that comes twice counts once", "30 2 * * *", 20 * time.Minute, "Europe/Berlin", "2026-10-25", 25,
			[]string{"10-25 02:30 +0200 / 10-25 02:50 +0200"},
		},
		{
			"Berlin autumn: elapsed time", "30 2 * * *", 2 * time.Hour, "Europe/Berlin", "2026-10-25", 25,
			[]string{"10-25 02:30 +0200 / 10-25 03:30 +0100"},
		},
		{
			"Berlin autumn: the hour after comes once", "0 3 * * *", time.Hour, "Europe/Berlin", "2026-10-25", 25,
			[]string{"10-25 03:00 +0100 / 10-25 04:00 +0100"},
		},
		{
			"Berlin autumn: every 15 minutes without a pause", "*/15 * * * *", 15 * time.Minute, "Europe/Berlin", "2026-10-25", 6,
			[]string{"10-25 00:00 +0200 / 10-25 05:00 +0100"},
		},
		{
			"Berlin autumn: every hour comes twice as well", "30 * * * *", 10 * time.Minute, "Europe/Berlin", "2026-10-25", 5,
			[]string{
				"10-25 00:30 +0200 / 10-25 00:40 +0200",
				"10-25 01:30 +0200 / 10-25 01:40 +0200",
				"10-25 02:30 +0200 / 10-25 02:40 +0200",
				"10-25 02:30 +0100 / 10-25 02:40 +0100",
				"10-25 03:30 +0100 / 10-25 03:40 +0100",
			},
		},

		{
			"New York spring", "15 2 * * *", time.Hour, "America/New_York", "2026-03-08", 23,
			[]string{"03-08 03:00 -0400 / 03-08 04:00 -0400"},
		},
		{
			"New York autumn", "15 1 * * *", 30 * time.Minute, "America/New_York", "2026-11-01", 25,
			[]string{"11-01 01:15 -0400 / 11-01 01:45 -0400"},
		},
		{
			"New York, far beyond the listed changes, autumn", "15 1 * * *", 30 * time.Minute, "America/New_York", "2060-11-07", 25,
			[]string{"11-07 01:15 -0400 / 11-07 01:45 -0400"},
		},
		{
			"the last day of a far leap year", "0 23 * * *", 2 * time.Hour, "America/New_York", "2060-12-31", 48,
			[]string{
				"12-31 00:00 -0500 / 12-31 01:00 -0500",
				"12-31 23:00 -0500 / 01-01 01:00 -0500",
				"01-01 23:00 -0500 / 01-02 00:00 -0500",
			},
		},

		{
			"Lord Howe spring: half an hour is skipped", "15 2 * * *", time.Hour, "Australia/Lord_Howe", "2026-10-04", 23,
			[]string{"10-04 02:30 +1100 / 10-04 03:30 +1100"},
		},
		{
			"Lord Howe autumn: half an hour comes twice", "45 1 * * *", 10 * time.Minute, "Australia/Lord_Howe", "2026-04-05", 24,
			[]string{"04-05 01:45 +1100 / 04-05 01:55 +1100"},
		},
		{
			"Lord Howe autumn: every 15 minutes without a pause", "*/15 * * * *", 15 * time.Minute, "Australia/Lord_Howe", "2026-04-05", 4,
			[]string{"04-05 00:00 +1100 / 04-05 03:30 +1030"},
		},
		{
			"half an hour off", "0 9 * * *", time.Hour, "Asia/Kolkata", "2026-07-01", 24,
			[]string{"07-01 09:00 +0530 / 07-01 10:00 +0530"},
		},

		{
			"leap days", "0 0 29 2 *", 24 * time.Hour, "UTC", "2104-02-28", 72,
			[]string{"02-29 00:00 +0000 / 03-01 00:00 +0000"},
		},
		{
			"longer than its period", "0 0 * * *", 48 * time.Hour, "Europe/Berlin", "2026-10-25", 25,
			[]string{"10-25 00:00 +0200 / 10-26 00:00 +0100"},
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			w := recurring(t, test.cron, test.duration, test.zone)
			location, err := time.LoadLocation(test.zone)
			if err != nil {
				t.Fatal(err)
			}
			from, err := time.ParseInLocation(time.DateOnly, test.day, location)
			if err != nil {
				t.Fatal(err)
			}
			got := spansOf(w, location, from, from.Add(time.Duration(test.hours)*time.Hour))
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("%s (-want +got):\n%s", w, diff)
			}
		})
	}
}

// TestWindowEdges: the start belongs to the window and the end does not.
func TestWindowEdges(t *testing.T) {
	w := recurring(t, "0 8 * * 1-5", 2*time.Hour, "Europe/Berlin")
	start := time.Date(2026, time.January, 5, 7, 0, 0, 0, time.UTC)
	for _, test := range []struct {
		t    time.Time
		want bool
	}{
		{start.Add(-1), false},
		{start, true},
		{start.Add(2*time.Hour - 1), true},
		{start.Add(2 * time.Hour), false},
		{start.Add(time.Second), true}, // back in time
		{start.Add(-time.Second), false},
	} {
		if got := w.Contains(test.t); got != test.want {
			t.Errorf("contains %s: %t", test.t, got)
		}
	}
	if got, want := w.String(), "0 8 * * 1-5 for 2h in Europe/Berlin"; got != want {
		t.Errorf("String() = %q, want %q", got, want)
	}
	if !w.Equal(recurring(t, " 0 8 * * 1-5 ", 2*time.Hour, "Europe/Berlin")) || w.Equal(recurring(t, "0 8 * * 1-5", time.Hour, "Europe/Berlin")) {
		t.Error("Equal is not by what was written")
	}
}

// TestWindowConcurrently: what others ask for changes nobody's answer.
func TestWindowConcurrently(t *testing.T) {
	w := recurring(t, "0 * * * *", 30*time.Minute, "Europe/Berlin")
	base := time.Date(2026, time.June, 1, 0, 0, 0, 0, time.UTC)
	done := make(chan error, 4)
	for k := range 4 {
		go func() {
			for i := range 2000 {
				at := base.Add(time.Duration((i*7+k*31)%1440) * time.Minute)
				if got, want := w.Contains(at), at.Minute() < 30; got != want {
					done <- fmt.Errorf("contains %s: %t", at, got)
					return
				}
			}
			done <- nil
		}()
	}
	for range 4 {
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
}

func BenchmarkWindow(b *testing.B) {
	w, err := window.New("0 8 * * 1-5", 2*time.Hour, "Europe/Berlin")
	if err != nil {
		b.Fatal(err)
	}
	base := date(2026, 1, 5)
	b.Run("the same span", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			w.Contains(base)
		}
	})
	b.Run("another span each time", func(b *testing.B) {
		for i := 0; b.Loop(); i++ {
			w.Contains(base.Add(time.Duration(i%2) * 9 * time.Hour))
		}
	})
}
