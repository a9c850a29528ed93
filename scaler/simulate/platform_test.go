package simulate

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/alertscaler/alertscaler/scaler/target"
)

// TestPlatform takes one platform through its troubles: each line is what
// happens at a time, and what is then requested and ready.
func TestPlatform(t *testing.T) {
	now := time.Unix(0, 0)
	p := newPlatform("t", 4, 30*time.Second, func() time.Time { return now })
	scale := func(n int) func() error { return func() error { return p.Scale(context.Background(), n) } }
	change := func(f func(*platform, time.Time)) func() error {
		return func() error { p.happen(f); return nil }
	}
	for _, tc := range []struct {
		at   int
		name string
		do   func() error
		// kind of the error.
		kind             target.Kind
		requested, ready int
	}{
		{0, "more", scale(6), "", 6, 4},
		{0, "the same again", scale(6), target.KindNoOp, 6, 4},
		{10, "more still", scale(9), "", 9, 4},
		{20, "fewer: the newest that boot go", scale(7), "", 7, 4},
		{30, "the first batch is ready", nil, "", 7, 6},
		{39, "the second not yet", nil, "", 7, 6},
		{40, "and now", nil, "", 7, 7},
		{50, "fewer are fewer at once", scale(5), "", 5, 5},
		{60, "two are lost", change(func(p *platform, now time.Time) { p.lose(2, now) }), "", 5, 3},
		{90, "and replaced", nil, "", 5, 5},
		{100, "a limit", change(func(p *platform, _ time.Time) { p.limit = 6 }), "", 5, 5},
		{100, "is a limit", scale(7), target.KindQuota, 5, 5},
		{100, "and up to it there is room", scale(6), "", 6, 5},
		{130, "which boots", nil, "", 6, 6},
		{140, "one of those to come is stillborn", change(func(p *platform, now time.Time) {
			p.limit, p.stillborn, p.stillbornUntil = 0, 1, now.Add(time.Minute)
		}), "", 6, 6},
		{140, "one of three", scale(9), "", 9, 6},
		{500, "for ever", nil, "", 9, 8},
		{500, "it goes first", scale(8), "", 8, 8},
		{510, "refused", change(func(p *platform, now time.Time) {
			p.refuses, p.refusesUntil = target.KindUnauthorized, now.Add(time.Minute)
		}), "", 8, 8},
		{569, "to the end", scale(9), target.KindUnauthorized, 8, 8},
		{570, "and no longer", scale(7), "", 7, 7},
		{600, "slow to show", change(func(p *platform, _ time.Time) { p.showsAfter = 20 * time.Second }), "", 7, 7},
		{600, "the old number", scale(3), "", 7, 3},
		{610, "and another", scale(4), "", 7, 3},
		{620, "one after the other", nil, "", 3, 3},
		{630, "shows", nil, "", 4, 3},
		{640, "and boots", nil, "", 4, 4},
	} {
		now = time.Unix(int64(tc.at), 0)
		var err error
		if tc.do != nil {
			err = tc.do()
		}
		s, readErr := p.Current(context.Background())
		want := fmt.Sprintf("%q %d %d <nil>", tc.kind, tc.requested, tc.ready)
		if got := fmt.Sprintf("%q %d %d %v", target.KindOf(err), s.Requested, s.Ready, readErr); got != want {
			t.Errorf("at %d, %s: %s, want %s", tc.at, tc.name, got, want)
		}
	}
	p.happen(func(p *platform, now time.Time) { p.hiddenUntil = now.Add(time.Second) })
	if _, err := p.Current(context.Background()); target.KindOf(err) != target.KindTemporary {
		t.Errorf("unreadable: %v", err)
	}
}

// TestAConflictThatLasts: no time passes within an instant, so that trying
// again for ever must end some other way.
func TestAConflictThatLasts(t *testing.T) {
	now := time.Unix(0, 0)
	p := newPlatform("t", 4, 0, func() time.Time { return now })
	p.refuses, p.refusesUntil = target.KindConflict, endless
	var kinds []target.Kind
	for range maxConflicts + 1 {
		kinds = append(kinds, target.KindOf(p.Scale(context.Background(), 5)))
	}
	want := []target.Kind{target.KindConflict, target.KindConflict, target.KindPermanent}
	if diff := cmp.Diff(want, append(kinds[:1:1], kinds[maxConflicts-1:]...)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
