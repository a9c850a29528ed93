package main

import (
	"fmt"
	"html"
	"io"
	"slices"
	"strings"
)

// Line is one contender in a plot: the times after which its steps were over, in
// ascending order.
type Line struct {
	Name   string
	Times  Figures
	Dashed bool
}

// Panel is one pair of axes: the share of the steps that are over, over the time
// since the step.
type Panel struct {
	Title string
	Lines []Line
}

const (
	panelWidth, panelHeight = 380.0, 280.0
	marginLeft, marginTop   = 52.0, 34.0
	marginRight             = 16.0
	marginBottom            = 46.0
	legendLine              = 18.0
)

// Colours that can be told apart, also by those who see fewer (Okabe and Ito).
var colours = map[string]string{"HPA": "#E69F00", "limit of scrape and rules": "#444444"}

var others = []string{"#0072B2", "#009E73", "#CC79A7", "#56B4E9"}

// SVG draws the panels side by side, a legend above them.
func SVG(to io.Writer, title string, panels []Panel) error {
	var names []string
	for _, p := range panels {
		for _, l := range p.Lines {
			if !slices.Contains(names, l.Name) {
				names = append(names, l.Name)
			}
		}
	}
	slices.Sort(names)
	colour := func(name string) string {
		if c, ok := colours[name]; ok {
			return c
		}
		return others[slices.Index(names, name)%len(others)]
	}

	perRow := max(1, len(panels))
	top := 34 + float64((len(names)+perRow-1)/perRow)*legendLine
	width, height := float64(perRow)*panelWidth, top+panelHeight
	w := &writer{to: to}
	w.line(`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %.0f %.0f" width="%.0f" height="%.0f" font-family="sans-serif" font-size="12">`, width, height, width, height)
	w.line(`<title>%s</title>`, html.EscapeString(title))
	w.line(`<rect width="100%%" height="100%%" fill="#ffffff"/>`)
	w.line(`<text x="14" y="20" font-size="15" font-weight="bold">%s</text>`, html.EscapeString(title))
	for i, name := range names {
		x := 14 + float64(i%perRow)*panelWidth
		y := 40 + float64(i/perRow)*legendLine
		w.line(`<line x1="%.1f" y1="%.1f" x2="%.1f" y2="%.1f" stroke="%s" stroke-width="3"/>`, x, y-4, x+18, y-4, colour(name))
		w.line(`<text x="%.1f" y="%.1f" font-size="11">%s</text>`, x+23, y, html.EscapeString(name))
	}
	for i := range panels {
		w.line(`<g transform="translate(%.0f,%.0f)">`, float64(i)*panelWidth, top)
		panels[i].draw(w, colour)
		w.line(`</g>`)
	}
	w.line(`</svg>`)
	return w.err
}

// end is where the time axis ends: a round number that nothing exceeds.
func (p *Panel) end() (end, tick float64) {
	worst := 1.0
	for _, l := range p.Lines {
		if len(l.Times) > 0 {
			worst = max(worst, l.Times.Worst())
		}
	}
	for _, tick = range []float64{5, 10, 20, 60} {
		if worst <= 8*tick {
			break
		}
	}
	for end = tick; end < worst; end += tick {
	}
	return end, tick
}

func (p *Panel) draw(w *writer, colour func(string) string) {
	left, right, top, bottom := marginLeft, panelWidth-marginRight, marginTop, panelHeight-marginBottom
	end, tick := p.end()
	x := func(t float64) float64 { return left + t/end*(right-left) }
	y := func(share float64) float64 { return bottom - share*(bottom-top) }
	w.line(`<text x="%.1f" y="%.1f" font-weight="bold">%s</text>`, left, top-10, html.EscapeString(p.Title))
	for t := 0.0; t <= end; t += tick {
		w.line(`<line x1="%.1f" y1="%.1f" x2="%.1f" y2="%.1f" stroke="#e6e6e6"/>`, x(t), top, x(t), bottom)
		w.line(`<text x="%.1f" y="%.1f" text-anchor="middle">%.0f s</text>`, x(t), bottom+16, t)
	}
	for _, share := range []float64{0, 0.25, 0.5, 0.75, 1} {
		w.line(`<line x1="%.1f" y1="%.1f" x2="%.1f" y2="%.1f" stroke="#e6e6e6"/>`, left, y(share), right, y(share))
		w.line(`<text x="%.1f" y="%.1f" text-anchor="end">%.0f %%</text>`, left-6, y(share)+4, 100*share)
	}
	w.line(`<text x="%.1f" y="%.1f" text-anchor="middle">time since the step</text>`, (left+right)/2, bottom+34)
	w.line(`<text transform="translate(14,%.1f) rotate(-90)" text-anchor="middle">steps with all replicas ready</text>`, (top+bottom)/2)
	for _, l := range p.Lines {
		var path strings.Builder
		fmt.Fprintf(&path, "M%.1f %.1f", x(0), y(0))
		for i, t := range l.Times {
			fmt.Fprintf(&path, "H%.1fV%.1f", x(t), y(float64(i+1)/float64(len(l.Times))))
		}
		dash := ""
		if l.Dashed {
			dash = ` stroke-dasharray="5 4"`
		}
		w.line(`<path d="%s" fill="none" stroke="%s" stroke-width="1.8"%s/>`, path.String(), colour(l.Name), dash)
	}
	w.line(`<path d="M%.1f %.1fV%.1fH%.1f" fill="none" stroke="#444444"/>`, left, top, bottom, right)
}

// writer keeps the first error.
type writer struct {
	to  io.Writer
	err error
}

func (w *writer) line(format string, args ...any) {
	if w.err == nil {
		_, w.err = fmt.Fprintf(w.to, format+"\n", args...)
	}
}
