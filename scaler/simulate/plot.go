package simulate

import (
	"fmt"
	"html"
	"io"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/prometheus/common/model"
)

// Panel is one policy in a plot, under a title.
type Panel struct {
	Title string
	*Played
}

const (
	plotWidth, panelHeight    = 1000.0, 260.0
	marginLeft, marginRight   = 56.0, 16.0
	marginTop, marginBottom   = 34.0, 30.0
	plotHeader                = 52.0
	plotColumns               = int(plotWidth - marginLeft - marginRight)
	demandColour              = "#999999"
	requestedColour           = "#E69F00"
	readyColour               = "#0072B2"
	gridColour, outlineColour = "#e6e6e6", "#444444"
)

// Plot draws demand, requested and ready replicas over time as SVG, a panel
// under the other on the same scale. It begins at start; the zero time is one
// that nobody knows.
func Plot(to io.Writer, title string, start time.Time, panels ...Panel) error {
	w := &svg{to: to}
	height := plotHeader + float64(len(panels))*panelHeight
	w.line(`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %.0f %.0f" width="%.0f" height="%.0f" font-family="sans-serif" font-size="12">`, plotWidth, height, plotWidth, height)
	w.line(`<title>%s</title>`, html.EscapeString(title))
	w.line(`<rect width="100%%" height="100%%" fill="#ffffff"/>`)
	w.line(`<text x="14" y="20" font-size="15" font-weight="bold">%s</text>`, html.EscapeString(title))
	for i, l := range []struct{ name, stroke string }{
		{"demand in replicas", demandColour}, {"requested", requestedColour}, {"ready", readyColour},
	} {
		x := marginLeft + 160*float64(i)
		w.line(`<line x1="%.0f" y1="38" x2="%.0f" y2="38" stroke="%s" stroke-width="3"/><text x="%.0f" y="42">%s</text>`, x, x+20, l.stroke, x+26, l.name)
	}
	highest := 1.0
	for _, p := range panels {
		highest = max(highest, slices.Max(p.Demand.Values), float64(slices.Max(p.Requested)))
	}
	for i, p := range panels {
		w.line(`<g transform="translate(0,%.0f)">`, plotHeader+float64(i)*panelHeight)
		w.panel(p, start, highest*1.05)
		w.line(`</g>`)
	}
	w.line(`</svg>`)
	return w.err
}

// svg writes lines until one fails.
type svg struct {
	to  io.Writer
	err error
}

func (w *svg) line(format string, args ...any) {
	if w.err == nil {
		_, w.err = fmt.Fprintf(w.to, format+"\n", args...)
	}
}

func (w *svg) panel(p Panel, start time.Time, highest float64) {
	left, right := marginLeft, plotWidth-marginRight
	top, bottom := marginTop, panelHeight-marginBottom
	y := func(v float64) float64 { return bottom - v/highest*(bottom-top) }
	w.line(`<text x="%.0f" y="%.0f" font-weight="bold">%s</text>`, left, top-10, html.EscapeString(p.Title))
	for v, step := 0.0, roundStep(highest/5); v <= highest; v += step {
		w.line(`<line x1="%.0f" y1="%.1f" x2="%.0f" y2="%.1f" stroke="%s"/><text x="%.0f" y="%.1f" text-anchor="end">%g</text>`,
			left, y(v), right, y(v), gridColour, left-6, y(v)+4, v)
	}
	lasts := p.Demand.Duration()
	for at, step := firstTick(start, lasts), tickStep(lasts); at <= lasts; at += step {
		x := left + float64(at)/float64(lasts)*(right-left)
		anchor := "middle"
		if x > right-marginLeft/2 {
			anchor = "end" // it is not cut off
		}
		w.line(`<line x1="%.1f" y1="%.0f" x2="%.1f" y2="%.0f" stroke="%s"/><text x="%.1f" y="%.0f" text-anchor="%s">%s</text>`,
			x, top, x, bottom, gridColour, x, bottom+18, anchor, timeLabel(start, at, lasts))
	}
	n := len(p.Demand.Values)
	demand := outline(n, func(i int) float64 { return p.Demand.Values[i] }, y)
	w.line(`<path d="%sV%.1fH%.1fZ" fill="%s" fill-opacity="0.25" stroke="%s"/>`, demand, bottom, left, demandColour, demandColour)
	for _, l := range []struct {
		replicas []int32
		stroke   string
	}{{p.Requested, requestedColour}, {p.Ready, readyColour}} {
		w.line(`<path d="%s" fill="none" stroke="%s" stroke-width="1.4"/>`, outline(n, func(i int) float64 { return float64(l.replicas[i]) }, y), l.stroke)
	}
	w.line(`<path d="M%.0f %.0fV%.0fH%.0f" fill="none" stroke="%s"/>`, left, top, bottom, right, outlineColour)
}

// outline is a path through the steps. Where there are more of them than
// columns, each column has its lowest and highest, in the order in which they
// came: no peak is lost.
func outline(n int, value func(int) float64, y func(float64) float64) string {
	var b strings.Builder
	x := func(i int) float64 {
		return marginLeft + float64(i)/float64(n)*(plotWidth-marginLeft-marginRight)
	}
	fmt.Fprintf(&b, "M%.1f %.1f", x(0), y(value(0)))
	last := value(0)
	draw := func(i int) {
		v := value(i)
		if v == last {
			return
		}
		// Nothing moves until it does: a step, and not a slope.
		fmt.Fprintf(&b, "H%.1fV%.1f", x(i), y(v))
		last = v
	}
	for column := range min(n, plotColumns) {
		from, to := column*n/min(n, plotColumns), (column+1)*n/min(n, plotColumns)
		lowest, highest := from, from
		for i := from; i < to; i++ {
			if value(i) < value(lowest) {
				lowest = i
			}
			if value(i) > value(highest) {
				highest = i
			}
		}
		draw(from)
		draw(min(lowest, highest))
		draw(max(lowest, highest))
		draw(to - 1)
	}
	fmt.Fprintf(&b, "H%.1f", x(n))
	return b.String()
}

// roundStep is 1, 2 or 5 times a power of ten, at least x and 1.
func roundStep(x float64) float64 {
	power := math.Pow(10, math.Floor(math.Log10(max(x, 1))))
	for _, m := range []float64{1, 2, 5} {
		if m*power >= x {
			return m * power
		}
	}
	return 10 * power
}

// tickStep is a time between two labels, of which there are at most nine.
func tickStep(lasts time.Duration) time.Duration {
	for _, minutes := range []time.Duration{1, 2, 5, 10, 15, 30, 60, 120, 180, 360, 720, 1440} {
		if step := minutes * time.Minute; lasts <= 8*step {
			return step
		}
	}
	const day = 24 * time.Hour
	return day * max(1, (lasts+8*day-1)/(8*day))
}

// firstTick is the first moment since start that is a round time.
func firstTick(start time.Time, lasts time.Duration) time.Duration {
	if start.IsZero() {
		return 0
	}
	step := tickStep(lasts)
	round := start.Truncate(min(step, 24*time.Hour))
	if round.Before(start) {
		round = round.Add(min(step, 24*time.Hour))
	}
	return round.Sub(start)
}

// timeLabel is a moment, or how long after the beginning where nobody knows
// when that was.
func timeLabel(start time.Time, at, lasts time.Duration) string {
	switch moment := start.Add(at).UTC(); {
	case !start.IsZero() && tickStep(lasts) >= 24*time.Hour:
		return moment.Format("2 Jan")
	case !start.IsZero() && lasts > 24*time.Hour:
		return moment.Format("2 Jan 15:04")
	case !start.IsZero():
		return moment.Format("15:04")
	}
	return model.Duration(at).String()
}
