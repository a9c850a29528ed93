package config_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/robfig/cron/v3"
	"pgregory.net/rapid"

	"github.com/alertscaler/alertscaler/scaler/config"
)

// spansOf are the stretches of [from, to) within the window, found minute by
// minute, as "from/until" in the zone's own clock with its offset.
func spansOf(w *config.Window, location *time.Location, from, to time.Time) []string {
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
		{"an ordinary day", "0 8 * * 1-5", 2 * time.Hour, "Europe/Berlin", "2026-01-05", 24,
			[]string{"01-05 08:00 +0100 / 01-05 10:00 +0100"}},
		{"a weekend", "0 8 * * 1-5", 2 * time.Hour, "Europe/Berlin", "2026-01-03", 48, nil},
		{"over midnight", "0 23 * * *", 2 * time.Hour, "Europe/Berlin", "2026-01-05", 24,
			[]string{"01-05 00:00 +0100 / 01-05 01:00 +0100", "01-05 23:00 +0100 / 01-06 00:00 +0100"}},
		{"UTC knows no change", "30 2 * * *", time.Hour, "UTC", "2026-03-29", 24,
			[]string{"03-29 02:30 +0000 / 03-29 03:30 +0000"}},

		{"Berlin spring: a skipped start begins after the gap", "30 2 * * *", time.Hour, "Europe/Berlin", "2026-03-29", 24,
			[]string{"03-29 03:00 +0200 / 03-29 04:00 +0200"}},
		{"Berlin spring: two skipped starts begin together", "0,30 2 * * *", 10 * time.Minute, "Europe/Berlin", "2026-03-29", 24,
			[]string{"03-29 03:00 +0200 / 03-29 03:10 +0200"}},
		{"Berlin spring: elapsed time", "0 1 * * *", 2 * time.Hour, "Europe/Berlin", "2026-03-29", 24,
			[]string{"03-29 01:00 +0100 / 03-29 04:00 +0200"}},
		{"Berlin spring: every hour goes by the clock", "30 * * * *", 10 * time.Minute, "Europe/Berlin", "2026-03-29", 4,
			[]string{
				"03-29 00:30 +0100 / 03-29 00:40 +0100",
				"03-29 01:30 +0100 / 03-29 01:40 +0100",
				"03-29 03:30 +0200 / 03-29 03:40 +0200",
				"03-29 04:30 +0200 / 03-29 04:40 +0200",
			}},
		{"Berlin autumn: a start that comes twice counts once", "30 2 * * *", 20 * time.Minute, "Europe/Berlin", "2026-10-25", 25,
			[]string{"10-25 02:30 +0200 / 10-25 02:50 +0200"}},
		{"Berlin autumn: elapsed time", "30 2 * * *", 2 * time.Hour, "Europe/Berlin", "2026-10-25", 25,
			[]string{"10-25 02:30 +0200 / 10-25 03:30 +0100"}},
		{"Berlin autumn: the hour after comes once", "0 3 * * *", time.Hour, "Europe/Berlin", "2026-10-25", 25,
			[]string{"10-25 03:00 +0100 / 10-25 04:00 +0100"}},
		{"Berlin autumn: every 15 minutes without a pause", "*/15 * * * *", 15 * time.Minute, "Europe/Berlin", "2026-10-25", 6,
			[]string{"10-25 00:00 +0200 / 10-25 05:00 +0100"}},
		{"Berlin autumn: every hour comes twice as well", "30 * * * *", 10 * time.Minute, "Europe/Berlin", "2026-10-25", 5,
			[]string{
				"10-25 00:30 +0200 / 10-25 00:40 +0200",
				"10-25 01:30 +0200 / 10-25 01:40 +0200",
				"10-25 02:30 +0200 / 10-25 02:40 +0200",
				"10-25 02:30 +0100 / 10-25 02:40 +0100",
				"10-25 03:30 +0100 / 10-25 03:40 +0100",
			}},

		{"New York spring", "15 2 * * *", time.Hour, "America/New_York", "2026-03-08", 23,
			[]string{"03-08 03:00 -0400 / 03-08 04:00 -0400"}},
		{"New York autumn", "15 1 * * *", 30 * time.Minute, "America/New_York", "2026-11-01", 25,
			[]string{"11-01 01:15 -0400 / 11-01 01:45 -0400"}},
		{"New York, far beyond the listed changes, autumn", "15 1 * * *", 30 * time.Minute, "America/New_York", "2060-11-07", 25,
			[]string{"11-07 01:15 -0400 / 11-07 01:45 -0400"}},
		{"the last day of a far leap year", "0 23 * * *", 2 * time.Hour, "America/New_York", "2060-12-31", 48,
			[]string{
				"12-31 00:00 -0500 / 12-31 01:00 -0500",
				"12-31 23:00 -0500 / 01-01 01:00 -0500",
				"01-01 23:00 -0500 / 01-02 00:00 -0500",
			}},

		{"Lord Howe spring: half an hour is skipped", "15 2 * * *", time.Hour, "Australia/Lord_Howe", "2026-10-04", 23,
			[]string{"10-04 02:30 +1100 / 10-04 03:30 +1100"}},
		{"Lord Howe autumn: half an hour comes twice", "45 1 * * *", 10 * time.Minute, "Australia/Lord_Howe", "2026-04-05", 24,
			[]string{"04-05 01:45 +1100 / 04-05 01:55 +1100"}},
		{"Lord Howe autumn: every 15 minutes without a pause", "*/15 * * * *", 15 * time.Minute, "Australia/Lord_Howe", "2026-04-05", 4,
			[]string{"04-05 00:00 +1100 / 04-05 03:30 +1030"}},
		{"half an hour off", "0 9 * * *", time.Hour, "Asia/Kolkata", "2026-07-01", 24,
			[]string{"07-01 09:00 +0530 / 07-01 10:00 +0530"}},

		{"leap days", "0 0 29 2 *", 24 * time.Hour, "UTC", "2104-02-28", 72,
			[]string{"02-29 00:00 +0000 / 03-01 00:00 +0000"}},
		{"longer than its period", "0 0 * * *", 48 * time.Hour, "Europe/Berlin", "2026-10-25", 25,
			[]string{"10-25 00:00 +0200 / 10-26 00:00 +0100"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			w := window(t, test.cron, test.duration, test.zone)
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
	w := window(t, "0 8 * * 1-5", 2*time.Hour, "Europe/Berlin")
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
	if !w.Equal(window(t, " 0 8 * * 1-5 ", 2*time.Hour, "Europe/Berlin")) || w.Equal(window(t, "0 8 * * 1-5", time.Hour, "Europe/Berlin")) {
		t.Error("Equal is not by what was written")
	}
}

// TestWindowConcurrently: what others ask for changes nobody's answer.
func TestWindowConcurrently(t *testing.T) {
	w := window(t, "0 * * * *", 30*time.Minute, "Europe/Berlin")
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

// definition finds the starts around a day by going through every minute, and
// knows nothing of eras: it looks at what the zone's clock shows.
type definition struct {
	starts   []time.Time
	duration time.Duration
}

func define(t *rapid.T, expr string, d time.Duration, location *time.Location, from, to time.Time) definition {
	parsed, err := cron.ParseStandard(expr)
	if err != nil {
		t.Fatal(err)
	}
	everyHour := strings.HasPrefix(strings.Fields(expr)[1], "*")
	matches := func(wall time.Time) bool { return parsed.Next(wall.Add(-time.Second)).Equal(wall) }
	wallOf := func(at time.Time) time.Time {
		_, offset := at.In(location).Zone()
		return at.UTC().Add(time.Duration(offset) * time.Second)
	}
	out := definition{duration: d}
	shown := make(map[time.Time]bool)
	for at := from; at.Before(to); at = at.Add(time.Minute) {
		wall := wallOf(at)
		if matches(wall) && (everyHour || !shown[wall]) {
			out.starts = append(out.starts, at)
		}
		shown[wall] = true
		if everyHour {
			continue
		}
		for skipped := wallOf(at.Add(-time.Minute)).Add(time.Minute); skipped.Before(wall); skipped = skipped.Add(time.Minute) {
			if matches(skipped) {
				out.starts = append(out.starts, at)
			}
		}
	}
	return out
}

func (d definition) contains(t time.Time) bool {
	for _, s := range d.starts {
		if !t.Before(s) && t.Before(s.Add(d.duration)) {
			return true
		}
	}
	return false
}

// TestWindowIsItsDefinition compares Contains with the definition, most of all
// around changes of the clock, asked in any order.
func TestWindowIsItsDefinition(t *testing.T) {
	// Each zone with days on or near which its clocks change.
	days := map[string][]time.Time{
		"UTC":                 {date(2026, 3, 29), date(2028, 2, 29)},
		"Europe/Berlin":       {date(2026, 3, 29), date(2026, 10, 25), date(2050, 3, 27), date(2026, 7, 1)},
		"America/New_York":    {date(2026, 3, 8), date(2026, 11, 1), date(2060, 12, 31)},
		"Australia/Lord_Howe": {date(2026, 4, 4), date(2026, 10, 3)},
		"Africa/Casablanca":   {date(2026, 2, 15), date(2026, 3, 22)}, // Ramadan
		"Africa/Cairo":        {date(2026, 4, 24), date(2026, 10, 29)},
		"Pacific/Chatham":     {date(2026, 4, 4), date(2026, 9, 26)},
		"Pacific/Apia":        {date(2011, 12, 30)}, // a day that was not
		"Asia/Kathmandu":      {date(2026, 1, 1)},
	}
	zones := make([]string, 0, len(days))
	for zone := range days {
		zones = append(zones, zone)
	}
	field := func(values ...string) *rapid.Generator[string] { return rapid.SampledFrom(values) }
	minute := field("*", "0", "30", "*/15", "15,45", "59", "0-5", "7/20")
	hour := field("*", "*", "0", "1", "2", "3", "1-3", "8", "23", "*/2", "0,12")
	dom := field("*", "*", "*", "1", "29", "*/2", "25-31")
	dow := field("*", "*", "*", "0", "1-5", "sun")
	rapid.Check(t, func(t *rapid.T) {
		zone := rapid.SampledFrom(zones).Draw(t, "zone")
		day := rapid.SampledFrom(days[zone]).Draw(t, "day")
		h := hour.Draw(t, "hour")
		if h == "*/2" {
			h = "0-23/2" // not every hour, and does not look like it
		}
		expr := strings.Join([]string{minute.Draw(t, "minute"), h, dom.Draw(t, "day of month"), "*", dow.Draw(t, "day of week")}, " ")
		d := time.Duration(rapid.SampledFrom([]int{1, 10, 15, 45, 60, 90, 150, 600, 1500}).Draw(t, "minutes")) * time.Minute
		location, err := time.LoadLocation(zone)
		if err != nil {
			t.Fatal(err)
		}
		w, err := config.NewWindow(expr, d, zone)
		if err != nil {
			t.Fatal(err)
		}
		from, to := day.Add(-24*time.Hour), day.Add(48*time.Hour)
		want := define(t, expr, d, location, from.Add(-d-48*time.Hour), to)
		for at := from; at.Before(to); at = at.Add(7 * time.Minute) {
			if got := w.Contains(at); got != want.contains(at) {
				t.Fatalf("%s contains %s: %t", w, at.In(location), got)
			}
		}
		for range 50 {
			at := from.Add(time.Duration(rapid.Int64Range(0, int64(to.Sub(from)-1)).Draw(t, "at")))
			if got := w.Contains(at); got != want.contains(at) {
				t.Fatalf("%s contains %s: %t", w, at.In(location), got)
			}
		}
	})
}

func date(year int, month time.Month, day int) time.Time {
	return time.Date(year, month, day, 0, 0, 0, 0, time.UTC)
}

func BenchmarkWindow(b *testing.B) {
	w, err := config.NewWindow("0 8 * * 1-5", 2*time.Hour, "Europe/Berlin")
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
