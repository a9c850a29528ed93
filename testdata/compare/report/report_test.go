package report_test

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/alertscaler/alertscaler/scaler/simulate/plant"
	"github.com/alertscaler/alertscaler/testdata/compare/contender"
	"github.com/alertscaler/alertscaler/testdata/compare/report"
	"github.com/alertscaler/alertscaler/testdata/compare/sweep"
)

func point(setting, under, cost float64) sweep.Point {
	r := plant.Result{Part: plant.Part{Under: under, Cost: cost}}
	return sweep.Point{Setting: contender.Setting{Value: setting}, Under: under, Worst: under, Cost: cost, Results: []plant.Result{r}}
}

func quality() *report.Quality {
	curve := func(name string, points ...sweep.Point) sweep.Curve {
		return sweep.Curve{Contender: contender.Contender{Name: name, Setting: "target", Percent: true, Default: contender.Setting{Value: 0.7}}, Points: points}
	}
	return &report.Quality{
		Workloads: []string{"<shop & bar>"}, Kind: "traces", Limits: []float64{0.01, 0.02}, Ours: "ours",
		Comparisons: []report.Comparison{{
			Delay:   time.Minute,
			Optimum: point(0, 0, 1),
			Curves: []sweep.Curve{
				curve(contender.HPA, point(0.5, 0.01, 3), point(0.7, 0.02, 2)),
				curve("cheap", point(0.6, 0.015, 1.2), point(0.7, 0.5, 1)),
				curve("ours", point(0.5, 0.005, 2), point(0.7, 0.02, 1.5)),
			},
		}},
	}
}

func TestMarkdownSaysWhoIsCheaper(t *testing.T) {
	var out bytes.Buffer
	if err := quality().Markdown(&out); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"| HPA v2 | 3.00 | 2.00 | target: 50 %, 70 % |",
		"| cheap | – | 1.20 | target: –, 60 % |",
		"τ_U ≤ 1 %: cheaper than it: none. Dearer than it: HPA v2 by 33.3 % and cheap, which has no setting for it. Of HPA's distance to the clairvoyant it closes 50 %.",
		"τ_U ≤ 2 %: cheaper than it: cheap by 20.0 %. Dearer than it: HPA v2 by 25 %.",
		"| cheap | 70 % | 1.00 | 50 % | 50 % |",
		"### ours at 70 %, beside HPA at 70 %",
		"| <shop & bar> | 2 % | 1.50 | 0.0 | 0.00 | 2 % | 2.00 | 0.0 | 0.00 |",
	} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("missing %q in:\n%s", want, &out)
		}
	}
}

func TestPlotsAreXMLWithALineForEach(t *testing.T) {
	q := quality()
	c := &q.Comparisons[0]
	for name, plot := range map[string]func(io.Writer, *report.Comparison) error{
		"together": q.PlotTogether, "each": q.PlotEach,
	} {
		var out bytes.Buffer
		if err := plot(&out, c); err != nil {
			t.Fatal(err)
		}
		text := out.String()
		paths := 0
		for d := xml.NewDecoder(&out); ; {
			token, err := d.Token()
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			if s, ok := token.(xml.StartElement); ok && s.Name.Local == "g" && s.Attr[0].Name.Local == "stroke" {
				paths++
			}
		}
		if panels := strings.Count(text, "time under capacity"); paths != 3*panels || panels == 0 {
			t.Errorf("%s: %d lines in %d panels", name, paths, panels)
		}
	}
}

func TestPublishedComparesTheSameContenders(t *testing.T) {
	q := &report.Quality{Comparisons: []report.Comparison{{Delay: time.Minute, Optimum: point(0, 0, 1.1)}, {Delay: 10 * time.Second}}}
	for i := range q.Comparisons {
		for _, c := range contender.All() {
			q.Comparisons[i].Curves = append(q.Comparisons[i].Curves, sweep.Curve{Contender: c})
		}
	}
	var out bytes.Buffer
	if err := q.Published(&out); err != nil {
		t.Fatal(err)
	}
	// The clairvoyant, HPA, Nomad, AWS, one step and the linear prediction.
	if n := strings.Count(out.String(), " / "); n != 2*(6*3)+2 {
		t.Errorf("%d figures in:\n%s", n, &out)
	}
}

type broken struct{}

var errFull = errors.New("disk full")

func (broken) Write([]byte) (int, error) { return 0, errFull }

func TestAFullDiskIsSaid(t *testing.T) {
	q := quality()
	for _, err := range []error{q.Markdown(broken{}), q.PlotTogether(broken{}, &q.Comparisons[0])} {
		if !errors.Is(err, errFull) {
			t.Errorf("error %v", err)
		}
	}
}
