package alerts

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/alertmanager/pkg/labels"
	"github.com/prometheus/common/model"
	"pgregory.net/rapid"

	"github.com/alertscaler/alertscaler/scaler/policy"
)

func TestIndexMatch(t *testing.T) {
	ix := NewIndex([]Rule{
		{"web", policy.Up, matchers(t, `scale="up"`, `scale_target="web"`)},
		{"web", policy.Up, matchers(t, `alertname="WebHot"`)},
		{"web", policy.Down, matchers(t, `scale="down"`, `scale_target="web"`)},
		{"shop", policy.Up, matchers(t, `scale="up"`, `scale_target=~"shop-.*"`)},
		{"all", policy.Up, matchers(t, `scale=~".+"`)},
		{"prod", policy.Up, matchers(t, `scale="up"`, `env!="test"`)},
		{"bare", policy.Up, matchers(t, `scale=""`)},
		{"none", policy.Up, nil},
	})
	for _, tc := range []struct {
		labels map[string]string
		want   []Match
	}{
		{
			map[string]string{"scale": "up", "scale_target": "web", "alertname": "WebHot", "env": "test"},
			[]Match{{"all", policy.Up}, {"web", policy.Up}},
		},
		{
			map[string]string{"scale": "down", "scale_target": "web"},
			[]Match{{"all", policy.Up}, {"web", policy.Down}},
		},
		{
			map[string]string{"scale": "up", "scale_target": "shop-eu"},
			[]Match{{"all", policy.Up}, {"prod", policy.Up}, {"shop", policy.Up}},
		},
		{map[string]string{"severity": "page"}, []Match{{"bare", policy.Up}}},
		{nil, []Match{{"bare", policy.Up}}},
	} {
		if diff := cmp.Diff(tc.want, ix.Match(tc.labels)); diff != "" {
			t.Errorf("Match(%v) (-want +got):\n%s", tc.labels, diff)
		}
	}
	if diff := cmp.Diff([]string{"all", "bare", "none", "prod", "shop", "web"}, ix.Policies()); diff != "" {
		t.Errorf("Policies() (-want +got):\n%s", diff)
	}
}

// TestIndexAgreesWithAlertmanager holds the index against Alertmanager's own
// matching, rule by rule.
func TestIndexAgreesWithAlertmanager(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		name := rapid.SampledFrom([]string{"a", "b", "c"})
		value := rapid.SampledFrom([]string{"", "x", "y", "x|y", ".*"})
		kind := rapid.SampledFrom([]labels.MatchType{labels.MatchEqual, labels.MatchNotEqual, labels.MatchRegexp, labels.MatchNotRegexp})
		rules := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) Rule {
			r := Rule{Policy: rapid.SampledFrom([]string{"p", "q", "r"}).Draw(t, "policy"), Direction: policy.Up}
			for range rapid.IntRange(1, 3).Draw(t, "matchers") {
				m, err := labels.NewMatcher(kind.Draw(t, "kind"), name.Draw(t, "name"), value.Draw(t, "value"))
				if err != nil {
					t.Fatal(err)
				}
				r.Matchers = append(r.Matchers, m)
			}
			return r
		}), 0, 8).Draw(t, "rules")
		lset := rapid.MapOf(name, value).Draw(t, "labels")

		want := make(map[Match]bool)
		ls := make(model.LabelSet)
		for n, v := range lset {
			ls[model.LabelName(n)] = model.LabelValue(v)
		}
		for _, r := range rules {
			if r.Matchers.Matches(ls) {
				want[Match{r.Policy, r.Direction}] = true
			}
		}
		got := make(map[Match]bool)
		for _, m := range NewIndex(rules).Match(lset) {
			if got[m] {
				t.Errorf("%v twice", m)
			}
			got[m] = true
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("matches (-Alertmanager +index):\n%s", diff)
		}
	})
}

func BenchmarkIndexMatch(b *testing.B) {
	var rs []Rule
	for i := range 10_000 {
		rs = append(rs, rules(b, fmt.Sprintf("policy-%d", i))...)
	}
	ix := NewIndex(rs)
	for name, lset := range map[string]map[string]string{
		"one policy": {"alertname": "ScaleUp", "scale": "up", "scale_target": "policy-4711", "resource": "cpu", "severity": "none"},
		"unrelated":  {"alertname": "DiskFull", "instance": "db-1:9100", "job": "node", "severity": "page"},
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				ix.Match(lset)
			}
		})
	}
}
