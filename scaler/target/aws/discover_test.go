package aws

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/alertscaler/alertscaler/scaler/target"
	"github.com/alertscaler/alertscaler/scaler/target/aws/awstest"
)

func discoverer(t testing.TB, cfg target.DiscoveryConfig) target.Discoverer {
	t.Helper()
	if err := cfg.Validate(); err != nil {
		t.Fatal(err)
	}
	switch cfg := cfg.(type) {
	case *ASGDiscoveryConfig:
		cfg.clients = wired()
	case *ECSDiscoveryConfig:
		cfg.clients = wired()
	}
	d, err := cfg.New(target.Options{Name: "cloud"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := d.(target.Closer).Close(); err != nil {
			t.Error(err)
		}
	})
	return d
}

// found lists what a discovery finds, by what it is.
func found(t testing.TB, d target.Discoverer) map[string]target.Discovered {
	t.Helper()
	all, err := d.Discover(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	out := make(map[string]target.Discovered)
	for _, f := range all {
		out[f.What] = f
	}
	if len(out) != len(all) {
		t.Errorf("something was found twice: %v", all)
	}
	return out
}

func TestDiscoverGroups(t *testing.T) {
	t.Parallel()
	s, conn := serveRegion(t)
	s.PageSize = 2
	for name, tags := range map[string]map[string]string{
		"web/blue 1": {"alertscaler:enable": "true", "alertscaler:max": "20", "alertscaler.max": "3", "Name": "web"},
		"dots":       {"alertscaler.enable": "false"},
		"empty":      {"alertscaler:enable": ""},
		"quiet":      {"alertscaler:max": "4"},
		"bare":       nil,
	} {
		s.AddGroup(awstest.Group{Name: name, Max: 9, Tags: tags})
	}
	s.AddGroup(awstest.Group{Name: "going", Max: 9, Status: "Delete in progress", Tags: map[string]string{"alertscaler:enable": "true"}})
	all := found(t, discoverer(t, &ASGDiscoveryConfig{Connection: conn}))
	if len(all) != 3 {
		t.Errorf("found %v, want three", all)
	}
	web := all["group web/blue 1"]
	if web.Name != "web-blue-1" || web.ScaleTarget != "web/blue 1" {
		t.Errorf("name %q, scale_target %q", web.Name, web.ScaleTarget)
	}
	if diff := cmp.Diff(map[string]string{"enable": "true", "max": "20"}, web.Labels); diff != "" {
		t.Errorf("labels (-want +got):\n%s", diff)
	}
	for what, enable := range map[string]string{"group dots": "false", "group empty": ""} {
		if got, ok := all[what].Labels["enable"]; !ok || got != enable {
			t.Errorf("%s: labels %v", what, all[what].Labels)
		}
	}
	if got, want := web.Target.Identity(), (&ASGConfig{Connection: conn, Name: "web/blue 1"}).Identity(); got != want {
		t.Errorf("identity %q, want that of the configured one, %q", got, want)
	}
	if err := build(t, web.Target).Scale(t.Context(), 2); err != nil {
		t.Error(err)
	}
	if n := len(s.Calls("DescribeAutoScalingGroups")); n != 3 {
		t.Errorf("%d readings, want two pages and the target's own", n)
	}
}

func TestDiscoverServices(t *testing.T) {
	t.Parallel()
	s, conn := serveRegion(t)
	s.PageSize = 7
	for i := range 25 {
		v := awstest.Service{Cluster: "shop", Name: fmt.Sprintf("web-%d", i)}
		if i%5 == 0 {
			v.Tags = map[string]string{"alertscaler:enable": "true", "alertscaler:min": "1"}
		}
		s.AddService(v)
	}
	s.AddService(awstest.Service{Cluster: "bank", Name: "api", Tags: map[string]string{"alertscaler.enable": "false"}})
	s.AddService(awstest.Service{Cluster: "bank", Name: "old", Status: "INACTIVE", Tags: map[string]string{"alertscaler.enable": "true"}})
	all := found(t, discoverer(t, &ECSDiscoveryConfig{Connection: conn}))
	if len(all) != 6 {
		t.Errorf("found %v, want six", all)
	}
	web := all["service shop/web-5"]
	if web.Name != "shop:web-5" || web.ScaleTarget != "shop/web-5" || web.Labels["min"] != "1" {
		t.Errorf("%+v", web)
	}
	if got, want := web.Target.Identity(), (&ECSConfig{Connection: conn, Cluster: "shop", Service: "web-5"}).Identity(); got != want {
		t.Errorf("identity %q, want that of the configured one, %q", got, want)
	}
	if err := build(t, web.Target).Scale(t.Context(), 2); err != nil {
		t.Error(err)
	}
	if all := found(t, discoverer(t, &ECSDiscoveryConfig{Connection: conn, Clusters: []string{"bank"}})); len(all) != 1 {
		t.Errorf("in one cluster: found %v", all)
	}
}

// TestDiscoverHalf: half a list is none.
func TestDiscoverHalf(t *testing.T) {
	t.Parallel()
	s, conn := serveRegion(t)
	s.PageSize = 1
	for _, name := range []string{"a", "b"} {
		s.AddGroup(awstest.Group{Name: name, Max: 9, Tags: map[string]string{"alertscaler:enable": "true"}})
		s.AddService(awstest.Service{Cluster: "shop", Name: name, Tags: map[string]string{"alertscaler:enable": "true"}})
	}
	s.Fail(func(c awstest.Call) *awstest.Fault {
		if c.Form.Get("NextToken") != "" || c.Body["nextToken"] != nil {
			return &awstest.Fault{Status: 503, Code: "ServiceUnavailable", Message: "later"}
		}
		return nil
	})
	for says, cfg := range map[string]target.DiscoveryConfig{
		"list the Auto Scaling groups of region eu-central-1": &ASGDiscoveryConfig{Connection: conn},
		"list the services of cluster shop":                   &ECSDiscoveryConfig{Connection: conn, Clusters: []string{"shop"}},
	} {
		all, err := discoverer(t, cfg).Discover(t.Context())
		wantKind(t, says, err, target.KindTemporary, says)
		if all != nil {
			t.Errorf("half a list gave %d things", len(all))
		}
	}
}

// TestDiscoverNothing has something else answer with status 200: nobody has gone
// because of it.
func TestDiscoverNothing(t *testing.T) {
	t.Parallel()
	s, conn := serveRegion(t)
	s.AddService(awstest.Service{Cluster: "shop", Name: "web", Tags: map[string]string{"alertscaler:enable": "true"}})
	for _, action := range []string{"ListClusters", "ListServices", "DescribeServices"} {
		s.Fail(func(c awstest.Call) *awstest.Fault {
			if c.Action == action {
				return &awstest.Fault{Status: 200, Raw: "{}"}
			}
			return nil
		})
		all, err := discoverer(t, &ECSDiscoveryConfig{Connection: conn}).Discover(t.Context())
		wantKind(t, action, err, target.KindTemporary, "the answer has no list of")
		if all != nil {
			t.Errorf("%s: found %v beside an error", action, all)
		}
	}
	_, err := ecsService(t, conn).Current(t.Context())
	wantKind(t, "Current", err, target.KindTemporary, "the answer has no list of services")
}

func TestPolicyName(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{"web": "web", "web/blue 1": "web-blue-1", "-_web": "web", "shop:web": "shop:web"} {
		if got := policyName(name); got != want {
			t.Errorf("policyName(%q) = %q, want %q", name, got, want)
		}
	}
}
