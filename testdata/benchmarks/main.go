// Benchmarks renders what go test -bench printed, from standard input, as
// docs/benchmarks/speed.md, to standard output.
package main

import (
	"bufio"
	_ "embed"
	"errors"
	"fmt"
	"io"
	"os"
	"regexp"
	"runtime"
	"strconv"
	"strings"
	"text/template"
)

//go:embed speed.md.tmpl
var page string

func main() {
	if err := render(os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "benchmarks:", err)
		os.Exit(1)
	}
}

// results are the metrics of each benchmark by unit.
type results map[string]map[string]float64

func render(in io.Reader, out io.Writer) error {
	r, err := read(in)
	if err != nil {
		return err
	}
	t, err := template.New("speed.md").Funcs(template.FuncMap{
		"v":     r.value,
		"num":   num,
		"aim":   aim,
		"div":   func(a, b float64) float64 { return a / b },
		"mul":   func(a, b float64) float64 { return a * b },
		"loads": r.loads,
		"go":    func() string { return runtime.Version() + " on " + runtime.GOOS + "/" + runtime.GOARCH },
	}).Parse(page)
	if err != nil {
		return err
	}
	var text strings.Builder
	if err := t.Execute(&text, nil); err != nil {
		return err
	}
	_, err = io.WriteString(out, text.String())
	return err
}

// procs is the number of processors, which go test puts behind a name.
var procs = regexp.MustCompile(`-\d+$`)

// read takes in the lines of results, by package and name. It fails where a
// test did.
func read(in io.Reader) (results, error) {
	r := make(results)
	pkg := ""
	lines := bufio.NewScanner(in)
	for lines.Scan() {
		f := strings.Fields(lines.Text())
		switch {
		case len(f) > 0 && (f[0] == "FAIL" || f[0] == "---" && f[1] == "FAIL:"):
			return nil, errors.New("a benchmark failed: " + lines.Text())
		case len(f) == 2 && f[0] == "pkg:":
			_, pkg, _ = strings.Cut(f[1], "alertscaler/alertscaler/")
		case len(f) > 3 && strings.HasPrefix(f[0], "Benchmark"):
			m := make(map[string]float64)
			for i := 2; i+1 < len(f); i += 2 {
				v, err := strconv.ParseFloat(f[i], 64)
				if err != nil {
					return nil, fmt.Errorf("%s: %w", lines.Text(), err)
				}
				m[f[i+1]] = v
			}
			r[pkg+"."+procs.ReplaceAllString(strings.TrimPrefix(f[0], "Benchmark"), "")] = m
		}
	}
	return r, lines.Err()
}

func (r results) value(name, unit string) (float64, error) {
	v, ok := r[name][unit]
	if !ok {
		return 0, fmt.Errorf("no %s of %s", unit, name)
	}
	return v, nil
}

// load is one row of the webhook's table.
type load struct {
	Alerts, Senders, Changes int
	Name                     string
}

// loads are those of BenchmarkThroughput, in its order.
func (r results) loads() []load {
	var out []load
	for _, alerts := range []int{2, 10} {
		for _, l := range []load{{Senders: 10}, {Senders: 10, Changes: 1}, {Senders: 10, Changes: 10}, {Senders: 64, Changes: 10}, {Senders: 256, Changes: 10}, {Senders: 10, Changes: 100}, {Senders: 256, Changes: 100}} {
			l.Alerts = alerts
			l.Name = fmt.Sprintf("webhook.Throughput/alerts=%d/senders=%d/changes=%d%%", alerts, l.Senders, l.Changes)
			out = append(out, l)
		}
	}
	return out
}

// aim writes a ratio, bold where it is what we want.
func aim(ratio float64) string {
	if ratio >= 0.8 {
		return "**" + num(ratio) + "**"
	}
	return num(ratio)
}

// num writes a number with three digits that count.
func num(v float64) string {
	switch {
	case v >= 1000:
		s := strconv.FormatFloat(v, 'f', 0, 64)
		for i := len(s) - 3; i > 0; i -= 3 {
			s = s[:i] + "," + s[i:]
		}
		return s
	case v >= 100:
		return strconv.FormatFloat(v, 'f', 0, 64)
	case v >= 10:
		return strconv.FormatFloat(v, 'f', 1, 64)
	default:
		return strconv.FormatFloat(v, 'f', 2, 64)
	}
}
