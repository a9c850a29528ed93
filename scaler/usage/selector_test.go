package usage

import (
	"testing"

	"github.com/google/go-cmp/cmp"
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

func FuzzParseSelector(f *testing.F) {
	for _, s := range []string{"up", `up{a="b",c!~'d',e=` + "`f`}", `up{a="\x41"}`, "{", "up{,}", "up{a='"} {
		f.Add(s)
	}
	f.Fuzz(func(_ *testing.T, s string) { parseSelector(s) })
}
