package report

import (
	"fmt"
	"html"
	"io"
	"math"
	"slices"
)

// Line is one contender in a plot.
type Line struct {
	Name   string
	Points []XY
	// Bold draws it thicker.
	Bold bool
}

// XY is a time under capacity and a cost.
type XY struct{ X, Y float64 }

// Panel is one pair of axes: cost, logarithmic, over time under capacity.
type Panel struct {
	Title string
	Lines []Line
	// Floor is the cost of the optimum that is never under, a dashed line.
	Floor float64
}

const (
	panelWidth, panelHeight = 440.0, 300.0
	marginLeft, marginTop   = 58.0, 34.0
	marginRight             = 16.0
	marginBottom            = 46.0
	legendLine              = 18.0

	maxUnder = 0.06
	maxCost  = 10.0
)

// Colours that can be told apart, also by those who see fewer (after Okabe and
// Ito).
var colours = []string{"#0072B2", "#E69F00", "#009E73", "#CC79A7", "#999999", "#56B4E9", "#D55E00", "#000000", "#882255", "#B8A800"}

// SVG draws the panels side by side in so many columns, a legend above them.
func SVG(to io.Writer, title string, columns int, panels []Panel) error {
	rows := (len(panels) + columns - 1) / columns
	names := lineNames(panels)
	perRow := max(1, columns*3/2)
	legendRows := len(names)/perRow + 1 // with the optimum
	top := 34 + float64(legendRows)*legendLine
	width, height := float64(columns)*panelWidth, top+float64(rows)*panelHeight

	w := &writer{to: to}
	w.line(`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %.0f %.0f" width="%.0f" height="%.0f" font-family="sans-serif" font-size="12">`, width, height, width, height)
	w.line(`<title>%s</title>`, html.EscapeString(title))
	w.line(`<rect width="100%%" height="100%%" fill="#ffffff"/>`)
	w.line(`<text x="%.0f" y="20" font-size="15" font-weight="bold">%s</text>`, 14.0, html.EscapeString(title))
	for i, name := range append(slices.Clone(names), "optimum, never under") {
		x := 14 + float64(i%perRow)*(width-14)/float64(perRow)
		y := 40 + float64(i/perRow)*legendLine
		stroke := `stroke="#444444" stroke-dasharray="5 4"`
		if i < len(names) {
			stroke = fmt.Sprintf(`stroke="%s" stroke-width="3"`, colour(names, name))
		}
		w.line(`<line x1="%.1f" y1="%.1f" x2="%.1f" y2="%.1f" %s/>`, x, y-4, x+18, y-4, stroke)
		w.line(`<text x="%.1f" y="%.1f" font-size="11">%s</text>`, x+23, y, html.EscapeString(name))
	}
	for i := range panels {
		w.line(`<g transform="translate(%.0f,%.0f)">`, float64(i%columns)*panelWidth, top+float64(i/columns)*panelHeight)
		panels[i].draw(w, names)
		w.line(`</g>`)
	}
	w.line(`</svg>`)
	return w.err
}

func lineNames(panels []Panel) []string {
	var names []string
	for i := range panels {
		for _, l := range panels[i].Lines {
			if !slices.Contains(names, l.Name) {
				names = append(names, l.Name)
			}
		}
	}
	return names
}

func colour(names []string, name string) string {
	return colours[slices.Index(names, name)%len(colours)]
}

func place(p XY) (x, y float64) {
	x = marginLeft + p.X/maxUnder*(panelWidth-marginLeft-marginRight)
	y = panelHeight - marginBottom - math.Log(p.Y)/math.Log(maxCost)*(panelHeight-marginTop-marginBottom)
	return x, y
}

func (p *Panel) draw(w *writer, names []string) {
	left, bottom := place(XY{0, 1})
	right, top := place(XY{maxUnder, maxCost})
	w.line(`<text x="%.1f" y="%.1f" font-weight="bold">%s</text>`, left, top-10, html.EscapeString(p.Title))
	for x := 0.0; x <= maxUnder+1e-9; x += 0.01 {
		px, _ := place(XY{x, 1})
		w.line(`<line x1="%.1f" y1="%.1f" x2="%.1f" y2="%.1f" stroke="#e6e6e6"/>`, px, top, px, bottom)
		w.line(`<text x="%.1f" y="%.1f" text-anchor="middle">%.0f %%</text>`, px, bottom+16, 100*x)
	}
	for _, y := range []float64{1, 1.25, 1.5, 2, 3, 4, 6, 10} {
		_, py := place(XY{0, y})
		w.line(`<line x1="%.1f" y1="%.1f" x2="%.1f" y2="%.1f" stroke="#e6e6e6"/>`, left, py, right, py)
		w.line(`<text x="%.1f" y="%.1f" text-anchor="end">%.4g</text>`, left-6, py+4, y)
	}
	w.line(`<text x="%.1f" y="%.1f" text-anchor="middle">time under capacity, τ_U</text>`, (left+right)/2, bottom+34)
	w.line(`<text transform="translate(%.1f,%.1f) rotate(-90)" text-anchor="middle">cost ÷ need</text>`, 16.0, (top+bottom)/2)
	if p.Floor > 0 {
		_, py := place(XY{0, p.Floor})
		w.line(`<line x1="%.1f" y1="%.1f" x2="%.1f" y2="%.1f" stroke="#444444" stroke-dasharray="5 4"/>`, left, py, right, py)
	}
	for _, l := range p.Lines {
		l.draw(w, colour(names, l.Name))
	}
	w.line(`<path d="M%.1f %.1fV%.1fH%.1f" fill="none" stroke="#444444"/>`, left, top, bottom, right)
}

// draw connects the points that are inside the axes.
func (l *Line) draw(w *writer, colour string) {
	points := slices.Clone(l.Points)
	slices.SortStableFunc(points, func(a, b XY) int {
		switch {
		case a.X < b.X || (a.X == b.X && a.Y > b.Y):
			return -1
		case a == b:
			return 0
		}
		return 1
	})
	path, dots := "", ""
	for _, p := range points {
		if p.X > maxUnder || p.Y > maxCost || p.Y < 1-1e-9 {
			continue
		}
		x, y := place(p)
		command := "L"
		if path == "" {
			command = "M"
		}
		path += fmt.Sprintf("%s%.1f %.1f", command, x, y)
		dots += fmt.Sprintf(`<circle cx="%.1f" cy="%.1f" r="2.2"/>`, x, y)
	}
	if path == "" {
		return
	}
	width := 1.4
	if l.Bold {
		width = 2.8
	}
	w.line(`<g stroke="%s" fill="%s"><path d="%s" fill="none" stroke-width="%.1f"/>%s</g>`, colour, colour, path, width, dots)
}
