package formula_test

import (
	"errors"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/promql/parser"

	"github.com/alertscaler/alertscaler/scaler/simulate/formula"
)

// series of some names and labels, two of which differ in none but the name.
var series = []labels.Labels{
	labels.FromStrings("__name__", "a", "policy", "p", "resource", "cpu"),
	labels.FromStrings("__name__", "a", "policy", "p", "resource", "memory"),
	labels.FromStrings("__name__", "a", "policy", "q", "resource", "cpu", "of", "predicted"),
	labels.FromStrings("__name__", "b", "policy", "p"),
	labels.FromStrings("__name__", "c", "policy", "p", "resource", "cpu"),
	labels.FromStrings("__name__", "d"),
}

// values are those that are told apart somewhere, and what is close to them.
func value(r *rand.Rand) float64 {
	special := []float64{0, 1, 2, 3, -1, 2 * (1 + 1e-12), 0.3, 1e300, math.NaN(), math.Inf(1), math.Inf(-1)}
	return special[r.IntN(len(special))]
}

func parse(t *testing.T, expr string) parser.Expr {
	t.Helper()
	e, err := parser.NewParser(parser.Options{}).ParseExpr(expr)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// show is a vector in words, in the order of its labels.
func show(v promql.Vector) string {
	lines := make([]string, 0, len(v))
	for _, s := range v {
		lines = append(lines, promql.Sample{Metric: s.Metric, F: s.F}.String())
	}
	slices.Sort(lines)
	return strings.Join(lines, "\n")
}

// TestFormulasAnswerAsPrometheusDoes, whichever series there are and whatever
// their values.
func TestFormulasAnswerAsPrometheusDoes(t *testing.T) {
	engine := promql.NewEngine(promql.EngineOpts{MaxSamples: 1000, Timeout: time.Minute})
	for _, expr := range []string{
		`a`, `a{resource="cpu"}`, `a{of!~"pre.*"}`, `{policy="p", __name__!="a"}`, `nothing`, `(b)`,
		`d + 1`, `d - 1`, `d * 2 / (1 - 0.3)`, `a * scalar(d)`, `ceil(a * (1 - 1e-9))`, `clamp_min(a, 1.5)`, `clamp_min(d, scalar(b))`,
		`vector(1 - 0.2)`, `vector(scalar(d))`, `vector(scalar(a))`, `vector(scalar(nothing)) >= 0`, `(vector(scalar(d)) >= 0) < +Inf`,
		`a == 2`, `a != 2`, `a > 2`, `a < 2`, `a >= 2`, `a <= 2`, `b > 1 > 0`,
		`max(a)`, `max by (policy) (a)`, `max by (policy, of) (a)`, `count(a)`, `count by (policy) (a > 0) == 2`, `max(nothing)`,
		`a + on () group_left () max(b >= 0)`, `a > on (policy) group_left () b`, `b - on (policy) max by (policy) (a)`,
		`b + ignoring (resource) c`, `a{of=""} + c`, `a{of=""} > c`, `c == ignoring (nothing) a{of=""}`, `b < on (policy) c`,
		`a and on (policy) b > 1`, `a and c`, `a and ignoring (resource, of) b`, `a and nothing`,
		`max(b) or d`, `a or c`, `nothing or b`, `b or nothing`, `b or on (policy) c`, `d or ignoring (policy) b`,
	} {
		compiled, err := formula.Compile(parse(t, expr), series)
		if err != nil {
			t.Errorf("%s: %v", expr, err)
			continue
		}
		random := rand.New(rand.NewPCG(1, 2))
		for range 300 {
			in := make([]formula.Sample, len(series))
			var there formula.Instant
			for i, metric := range series {
				if random.IntN(4) > 0 {
					in[i] = formula.Sample{Value: value(random), There: true}
					there = append(there, promql.Sample{Metric: metric, F: in[i].Value})
				}
			}
			q, err := engine.NewInstantQuery(t.Context(), there, nil, expr, time.Unix(1, 0))
			if err != nil {
				t.Fatal(err)
			}
			want, err := q.Exec(t.Context()).Vector()
			if err != nil {
				t.Fatalf("%s of\n%s: %v", expr, show(promql.Vector(there)), err)
			}
			var got promql.Vector
			for _, e := range compiled {
				if s := e.At(in); s.There {
					got = append(got, promql.Sample{Metric: e.Metric, F: s.Value})
				}
			}
			if show(got) != show(want) {
				t.Errorf("%s of\n%s\nis\n%s\nwant\n%s", expr, show(promql.Vector(there)), show(got), show(want))
				break
			}
			q.Close()
		}
	}
}

// TestWhatFormulasDoNotKnow they say, and nothing else about it.
func TestWhatFormulasDoNotKnow(t *testing.T) {
	for _, expr := range []string{
		`a offset 1m`, `a @ 1`, `-a`, `a unless b`, `a > bool 1`, `1 + d`, `d ^ 2`, `d % 2`, `2 ^ 3 * d`, `d * (2 ^ 3)`, `rate(a[1m])`, `vector(time())`, `abs(a)`,
		`sum(a)`, `max without (of) (a)`, `topk(1, a)`, `ceil(-a)`, `max(-a)`, `clamp_min(a, time())`, `vector(scalar(-a))`,
		// Prometheus fails where there are two to match, or two of the same labels.
		`b > on (policy) a`, `a > on (policy) b`, `a + on (policy) group_left () a`, `{policy="p", resource="cpu"} + 1`, `max(a) or max(d)`,
		`b > on (policy) group_right () a`, `a > on (policy) group_left (of) b`,
	} {
		if _, err := formula.Compile(parse(t, expr), series); !errors.Is(err, formula.ErrUnknown) {
			t.Errorf("%s: %v", expr, err)
		}
	}
}
