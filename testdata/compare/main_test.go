package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/alertscaler/alertscaler/testdata/compare/contender"
	"github.com/alertscaler/alertscaler/testdata/compare/workload"
)

// traces is a folder with one trace: a level that doubles now and then.
func traces(t *testing.T) string {
	t.Helper()
	var csv strings.Builder
	csv.WriteString("timestamp_seconds,value\n")
	for i := range 400 {
		fmt.Fprintf(&csv, "%d,%d\n", 60*i, 1+i/50%2)
	}
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "levels.csv"), []byte(csv.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	return dir
}

func TestThePageAndItsPlotsAreWritten(t *testing.T) {
	out := filepath.Join(t.TempDir(), "benchmarks")
	if err := run(options{traces: traces(t), out: out}); err != nil {
		t.Fatal(err)
	}
	page, err := os.ReadFile(filepath.Join(out, "quality.md"))
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"of one run on 1 traces.", "| levels | levels | 400 | 60 s |",
		"after 60 s, straight lines between samples", "after 10 s, demand every 5 s", "### Where we lose",
		"(quality_60s.svg)", "(quality_60s_each.svg)", "(quality_10s.svg)", "(quality_10s_each.svg)",
	} {
		if !strings.Contains(string(page), want) {
			t.Errorf("missing %q", want)
		}
	}
	for _, plot := range []string{"quality_60s.svg", "quality_10s_each.svg"} {
		if _, err := os.Stat(filepath.Join(out, plot)); err != nil {
			t.Error(err)
		}
	}
}

func TestTheLearnerAloneStandsBesideHPA(t *testing.T) {
	recorded, err := workload.Traces(traces(t))
	if err != nil {
		t.Fatal(err)
	}
	sets, err := workload.Sets(recorded)
	if err != nil {
		t.Fatal(err)
	}
	some := sets[:1]
	cache := filepath.Join(t.TempDir(), "hpa")
	var first, again strings.Builder
	for _, out := range []*strings.Builder{&first, &again} {
		if err := alone(out, some, []float64{0.02}, cache); err != nil {
			t.Fatal(err)
		}
	}
	if !strings.Contains(first.String(), "60 s, straight lines between samples, objective, alone: of HPA's distance closed") || !strings.Contains(first.String(), "\n  levels ") {
		t.Errorf("it says:\n%s", &first)
	}
	if first.String() != again.String() {
		t.Errorf("from the cache it says something else:\n%s", &again)
	}
	if files, _ := filepath.Glob(cache + ".*"); len(files) != 1 {
		t.Errorf("in the cache: %v", files)
	}
}

func TestTheCheckFailsWhereAContenderIsTooDear(t *testing.T) {
	dir := traces(t)
	check := func(name string, ratio float64) error {
		return run(options{traces: dir, out: t.TempDir(), short: true, check: name, limit: 0.05, ratio: ratio})
	}
	if err := check(contender.HPA, 1); err != nil {
		t.Errorf("HPA costs as much as itself: %v", err)
	}
	if err := check(contender.HPA, 0.99); !errors.Is(err, errDearer) {
		t.Errorf("HPA costs more than 0.99 of itself: %v", err)
	}
	if err := check("OpenFaaS step", 1); !errors.Is(err, errDearer) {
		t.Errorf("OpenFaaS: %v", err)
	}
	if err := check(contender.HPA+",OpenFaaS step", 1); !errors.Is(err, errDearer) || !strings.Contains(err.Error(), "OpenFaaS") {
		t.Errorf("one of two is too dear: %v", err)
	}
	if err := check("nobody", 1); err == nil || errors.Is(err, errDearer) || !strings.Contains(err.Error(), contender.HPA) {
		t.Errorf("an unknown name: %v", err)
	}
}

func TestWhatIsNoTraceIsNamed(t *testing.T) {
	dir := traces(t)
	bad := filepath.Join(dir, "a.csv")
	if err := os.WriteFile(bad, []byte("0,1\n60,x\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ dir, want string }{
		{dir, bad + `: line 2: value "x" is not a number`},
		{t.TempDir(), "no *.csv in"},
	} {
		if err := run(options{traces: c.dir}); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("error %v, want %q in it", err, c.want)
		}
	}
}
