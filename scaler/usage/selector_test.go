package usage

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql/parser"
)

func TestSourceOf(t *testing.T) {
	web := key{"web", "cpu"}
	tests := []struct {
		expr string
		want source
	}{
		{`scale_target_resource:usage:sum{scale_target="web",resource="cpu"}`, source{series: seriesUsage, key: web}},
		{" scale_target_resource:capacity:sum {\n\tresource = `cpu`,\n\tscale_target = 'web' ,\n}\n", source{series: seriesCapacity, key: web}},
		{`scale_target:replicas_reporting:count{scale_target="web"}`, source{series: seriesReporting, key: key{target: "web"}}},
		{`scale_target_resource:usage:sum{scale_target="we\"b",resource="cpu"}`, source{series: seriesUsage, key: key{`we"b`, "cpu"}}},
		// Selectors, and not of one shipped series.
		{`scale_target_resource:usage:sum`, source{plain: true}},
		{`scale_target_resource:usage:sum{}`, source{plain: true}},
		{`scale_target_resource:usage:sum{scale_target="web"}`, source{plain: true}},
		{`scale_target_resource:usage:sum{scale_target="web",resource="cpu",rack="a"}`, source{plain: true}},
		{`scale_target_resource:usage:sum{scale_target="web",resource=~"cpu"}`, source{plain: true}},
		{`scale_target_resource:usage:sum{scale_target="web",resource!="cpu"}`, source{plain: true}},
		{`scale_target_resource:usage:sum{scale_target="web",resource="cpu",resource="cpu"}`, source{plain: true}},
		{`scale_target:replicas_reporting:count{scale_target="web",resource="cpu"}`, source{plain: true}},
		{`scale_target_resource:usage:predicted{scale_target="web",resource="cpu"}`, source{series: seriesPredicted, key: web}},
		{`up`, source{plain: true}},
		{`up{job=~"a|b", instance!~'c'}`, source{plain: true}},
		// More than that, or less.
		{`sum(up)`, source{}},
		{`up offset 5m`, source{}},
		{`up[5m]`, source{}},
		{`up @ 0`, source{}},
		{`up + up`, source{}},
		{`-up`, source{}},
		{`(up)`, source{}},
		{`42`, source{}},
		{`"up"`, source{}},
		{`{job="a"}`, source{}},
		{`{"my.metric"}`, source{}},
		{`Inf`, source{}},
		{`nan`, source{}},
		{"up{job=`a\rb`}", source{}},
		{`up{`, source{}},
		{`up{job`, source{}},
		{`up{job=`, source{}},
		{`up{job="a`, source{}},
		{`up{job='a\'b'}`, source{}},
		{`up{job='a`, source{}},
		{`up{job="a" instance="b"}`, source{}},
		{`up{="a"}`, source{}},
		{`up{job=="a"}`, source{}},
		{`up{job="a"}}`, source{}},
		{`up{"my.label"="a"}`, source{}},
	}
	for _, tc := range tests {
		want := tc.want
		if !want.shipped() {
			want.expr = tc.expr
		}
		got := sourceOf(tc.expr, source{})
		if diff := cmp.Diff(want, got, cmp.AllowUnexported(source{}, key{})); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tc.expr, diff)
		}
	}
	if def := (source{series: seriesUsage, key: web}); sourceOf("", def) != def {
		t.Error("nothing written is not the default")
	}
}

// FuzzParseSelector holds it against Prometheus' own parser: what is taken for a
// selector is that and nothing more, and of the same name and matchers. What
// Prometheus refuses it may take, since Prometheus says so when it is asked.
func FuzzParseSelector(f *testing.F) {
	for _, s := range []string{"up", "inf", "NaN", "sum", "up{}", `up{a="b",c!~'d',e=` + "`f`}", `up{a="\x41"}`, "up{a=`\r`}", "{", "up{,}", "up{a='"} {
		f.Add(s)
	}
	promQL := parser.NewParser(parser.Options{})
	f.Fuzz(func(t *testing.T, s string) {
		got, ok := parseSelector(s)
		expr, err := promQL.ParseExpr(s)
		if !ok || err != nil {
			return
		}
		want, ok := expr.(*parser.VectorSelector)
		if !ok || want.OriginalOffset != 0 || want.Timestamp != nil || want.StartOrEnd != 0 {
			t.Fatalf("%q is taken for a selector, and is %s", s, expr)
		}
		if got.name != want.Name {
			t.Errorf("%q selects %q, and not %q", s, want.Name, got.name)
		}
		equal := make(map[string][]string)
		others := 0
		for _, m := range want.LabelMatchers {
			switch {
			case m.Name == model.MetricNameLabel && m.Value == want.Name && m.Type == labels.MatchEqual:
			case m.Type == labels.MatchEqual:
				equal[m.Name] = append(equal[m.Name], m.Value)
			default:
				others++
			}
		}
		for name, values := range equal {
			others += len(values) - 1
			if !slices.Contains(values, got.equal[name]) {
				t.Errorf("%q: %s must be one of %q, and not %q", s, name, values, got.equal[name])
			}
		}
		if len(got.equal) != len(equal) || got.others != others {
			t.Errorf("%q has %q and %d other matchers, and not %q and %d", s, equal, others, got.equal, got.others)
		}
	})
}
