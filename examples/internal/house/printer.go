package house

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/alertscaler/alertscaler/scaler/status"
)

// quiet is how long nothing may change before a line says so.
const quiet = 20 * time.Second

// printer prints a line where something changed.
type printer struct {
	aside   func(context.Context) string
	width   int // of the longest policy name
	started time.Time

	last      time.Time // when a line was printed
	shown     map[string]status.Policy
	explained map[string]string
}

func newPrinter(s *Story) *printer {
	p := &printer{aside: s.Aside, started: time.Now(), shown: make(map[string]status.Policy), explained: make(map[string]string)}
	for _, name := range s.Policies {
		p.width = max(p.width, len(name))
	}
	return p
}

func (p *printer) since() time.Duration { return time.Since(p.started).Round(time.Second) }

func (p *printer) header() {
	fmt.Printf("\n%6s  %-*s  %-16s %-12s %s\n", "time", p.width, "", "replicas", "alerts", "decision")
}

func (p *printer) title(n int, text string) {
	fmt.Printf("\n%6s  %d. %s\n", p.since(), n, text)
}

func (p *printer) line(ctx context.Context, name string, st status.Policy) {
	shown, known := p.shown[name]
	requested, ready := Replicas(st)
	shownRequested, shownReady := Replicas(shown)
	changed := !known || requested != shownRequested || ready != shownReady ||
		reason(st) != reason(shown) || alerts(st) != alerts(shown)
	if !changed && time.Since(p.last) < quiet {
		return
	}
	p.last, p.shown[name] = time.Now(), st
	aside := ""
	if p.aside != nil {
		aside = p.aside(ctx)
	}
	fmt.Printf("%6s  %-*s  %-16s %-12s %-16s %s\n", p.since(), p.width, name,
		fmt.Sprintf("%d (%d ready)", requested, ready), alerts(st), reason(st), aside)
	if st.Last != nil && st.Last.Current != st.Last.Desired && st.Explanation != p.explained[name] {
		p.explained[name] = st.Explanation
		fmt.Printf("%6s  ↳ %s\n", "", st.Explanation)
	}
}

func reason(st status.Policy) string {
	if st.Last == nil {
		return ""
	}
	return string(st.Last.Reason)
}

// alerts are the directions that alerts point in, and what blocks them.
func alerts(st status.Policy) string {
	var all []string
	for _, a := range []struct {
		text string
		on   bool
	}{
		{"up", st.AlertsUp > 0},
		{"down", st.AlertsDown > 0},
		{"no up", len(st.BlockUp) > 0},
		{"no down", len(st.BlockDown) > 0},
	} {
		if a.on {
			all = append(all, a.text)
		}
	}
	if len(all) == 0 {
		return "–"
	}
	return strings.Join(all, ", ")
}
