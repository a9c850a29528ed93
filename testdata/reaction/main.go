// Reaction renders what TestReaction measured, from standard input, as
// reaction.md and reaction.svg: see make bench-reaction.
package main

import (
	_ "embed"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"text/template"
)

//go:embed reaction.md.tmpl
var page string

func main() {
	out := flag.String("out", ".", "`folder` to write reaction.md and reaction.svg to")
	flag.Parse()
	if err := render(os.Stdin, *out); err != nil {
		fmt.Fprintln(os.Stderr, "reaction:", err)
		os.Exit(1)
	}
}

// render reads the samples and writes both files.
func render(in io.Reader, dir string) error {
	var all []Measured
	if err := json.NewDecoder(in).Decode(&all); err != nil {
		return fmt.Errorf("read the samples: %w", err)
	}
	var text, plot strings.Builder
	if err := markdown(&text, all); err != nil {
		return err
	}
	if err := SVG(&plot, "From a step of the load to the last replica ready", panels(all)); err != nil {
		return err
	}
	return errors.Join(
		os.WriteFile(filepath.Join(dir, "reaction.md"), []byte(text.String()), 0o644),
		os.WriteFile(filepath.Join(dir, "reaction.svg"), []byte(plot.String()), 0o644))
}

func markdown(w io.Writer, all []Measured) error {
	t, err := template.New("reaction.md").Funcs(template.FuncMap{
		"some": func(kind string) ([]Measured, error) { return some(all, kind) },
		"s":    func(x float64) string { return fmt.Sprintf("%.1f", x) },
		"x":    func(a, b float64) string { return fmt.Sprintf("%.2f", a/b) },
		"x2":   func(x float64) string { return fmt.Sprintf("%.2f", x) },
		"pct":  func(x float64) string { return fmt.Sprintf("%.0f %%", 100*x) },
		"verdict": func(m Measured) string {
			return verdict(m.Alertscaler().Median(), m.HPA().Median(), m.Indistinct())
		},
	}).Parse(page)
	if err != nil {
		return err
	}
	return t.Execute(w, all)
}

// shippedRules is how often the shipped group is evaluated, in seconds.
const shippedRules = 5

// some are the setups of a kind: even has rules evaluated as often as is scraped,
// and shipped as they ship; parts has them in parts.
func some(all []Measured, kind string) ([]Measured, error) {
	var found []Measured
	for _, m := range all {
		is, s := false, m.Setup
		switch kind {
		case "parts":
			is = s.Parts
		case "even":
			is = !s.Parts && s.Rules == s.Scrape
		case "shipped":
			is = !s.Parts && s.Rules == shippedRules
		}
		if is {
			found = append(found, m)
		}
	}
	if len(found) == 0 {
		return nil, fmt.Errorf("no setup of the kind %s was measured", kind)
	}
	return found, nil
}

// verdict says who was ahead by the medians, if they are further apart than what
// the samples cannot tell.
func verdict(alertscaler, hpa, indistinct float64) string {
	switch by := hpa - alertscaler; {
	case by > indistinct:
		return fmt.Sprintf("ahead by %.1f s", by)
	case by < -indistinct:
		return fmt.Sprintf("**behind by %.1f s**", -by)
	}
	return "even"
}

// panels are one for each scrape interval at which the rules were evaluated as
// often.
func panels(all []Measured) []Panel {
	var out []Panel
	for _, m := range all {
		if m.Setup.Parts || m.Setup.Rules != m.Setup.Scrape {
			continue
		}
		p := Panel{Title: fmt.Sprintf("scraped every %g s", m.Setup.Scrape)}
		var hpa Figures
		for i := range all {
			o := &all[i]
			if o.Setup.Scrape != m.Setup.Scrape {
				continue
			}
			name := "Alertscaler, rules as often as is scraped"
			switch {
			case o.Setup.Parts:
				name = "Alertscaler, the same in parts"
			case o.Setup.Rules < o.Setup.Scrape:
				name = fmt.Sprintf("Alertscaler, rules every %g s", o.Setup.Rules)
			default:
				p.Lines = append(p.Lines, Line{Name: "limit of scrape and rules", Times: o.Evaluated(), Dashed: true})
			}
			p.Lines = append(p.Lines, Line{Name: name, Times: o.Alertscaler()})
			hpa = append(hpa, o.HPA()...)
		}
		p.Lines = append(p.Lines, Line{Name: "HPA", Times: sorted(hpa)})
		out = append(out, p)
	}
	return out
}
