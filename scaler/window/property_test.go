package window_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/robfig/cron/v3"
	"pgregory.net/rapid"

	"github.com/alertscaler/alertscaler/scaler/window"
)

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
	slices.Sort(zones) // so that a failure can be drawn again
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
		w, err := window.New(expr, d, zone)
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
