package main

import (
	"encoding/json"
	"encoding/xml"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// measured are a few steps of every kind of setup.
func measured() []Measured {
	samples := []Sample{
		{Scraped: 2, Evaluated: 4, Alerted: 4, Alertscaler: 4.5, HPA: 9},
		{Scraped: 1, Evaluated: 2, Alerted: 2, Alertscaler: 2.5, HPA: 2},
		{Scraped: 4, Evaluated: 8, Alerted: 8, Alertscaler: 8.5, HPA: 10},
	}
	var all []Measured
	for _, s := range setups {
		all = append(all, Measured{Setup: s, Samples: samples})
	}
	return all
}

func TestFigures(t *testing.T) {
	m := measured()[0]
	for what, got := range map[string][2]float64{
		"median":               {m.Alertscaler().Median(), 4.5},
		"median of two":        {Figures{1, 3}.Median(), 2},
		"mean":                 {m.HPA().Mean(), 7},
		"worst":                {m.HPA().Worst(), 10},
		"ahead":                {m.Ahead(), 2.0 / 3},
		"the limit's median":   {Setup{Scrape: 30, Rules: 5}.LimitMedian(), 17.5},
		"the limit's worst":    {Setup{Scrape: 30, Rules: 5}.LimitWorst(), 35},
		"HPA's median":         {Setup{Scrape: 30, Rules: 5}.HPAMedian(), 22.5},
		"from alert to ready":  {m.ToReady().Median(), 0.5},
		"the scrape's to rule": {m.ToEvaluation().Median(), 2},
		"the medians' noise":   {Measured{Setup: Setup{Scrape: 15, Rules: 5}, Samples: make([]Sample, 36)}.Indistinct(), 5},
	} {
		if got[0] != got[1] {
			t.Errorf("%s: %g, want %g", what, got[0], got[1])
		}
	}
	for median, want := range map[float64]string{5: "ahead by 5.0 s", 8.5: "even", 10: "even", 11.5: "even", 12: "**behind by 2.0 s**"} {
		if got := verdict(median, 10, 1.5); got != want {
			t.Errorf("%g against 10: %q, want %q", median, got, want)
		}
	}
}

// TestRender writes the page and the plot, with all figures in them, and refuses
// samples that lack a setup.
func TestRender(t *testing.T) {
	b, err := json.Marshal(measured())
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if err := render(strings.NewReader(string(b)), dir); err != nil {
		t.Fatal(err)
	}
	page, err := os.ReadFile(filepath.Join(dir, "reaction.md"))
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"| 30 s | 3 | 30.0, 60.0 | 4.0 | **4.5**, 5.2, 8.5 | 1.12 | 9.0, 7.0, 10.0 | even | 67 % of the steps |",
		"| 30 s | 3 | 17.5, 35.0 |",
		"| 15 s | 4.5, 8.5 | 4.5, 8.5 |",
	} {
		if !strings.Contains(string(page), want) {
			t.Errorf("the page has no line %q:\n%s", want, page)
		}
	}
	if strings.Contains(string(page), "NaN") {
		t.Error("the page has a number that is none")
	}
	plot, err := os.Open(filepath.Join(dir, "reaction.svg"))
	if err != nil {
		t.Fatal(err)
	}
	defer plot.Close()
	paths := 0
	for d := xml.NewDecoder(plot); ; {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		if e, ok := token.(xml.StartElement); ok && e.Name.Local == "path" {
			paths++
		}
	}
	// Three axes; five lines where the rules are also evaluated more often, and four
	// where they are not.
	if want := 3 + 4 + 5 + 5; paths != want {
		t.Errorf("the plot has %d paths, want %d", paths, want)
	}

	if err := render(strings.NewReader(`[]`), dir); err == nil {
		t.Error("a page of nothing was written")
	}
}
