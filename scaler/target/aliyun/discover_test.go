package aliyun

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/alertscaler/alertscaler/scaler/target"
	"github.com/alertscaler/alertscaler/scaler/target/aliyun/aliyuntest"
)

func discovery(t testing.TB, host string) target.Discoverer {
	t.Helper()
	cfg := &DiscoveryConfig{Access: access(host), clients: quick()}
	if err := cfg.Validate(); err != nil {
		t.Fatal(err)
	}
	d, err := cfg.New(target.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func TestDiscover(t *testing.T) {
	t.Parallel()
	var groups []aliyuntest.Group
	add := func(id, name, region string, tags map[string]string) {
		groups = append(groups, aliyuntest.Group{ID: id, Name: name, Region: region, Max: 5, Count: 1, Tags: tags})
	}
	add("asg-1", "web", testRegion, map[string]string{"alertscaler:enable": "true", "alertscaler:max": "20", "team": "shop"})
	add("asg-2", "电商", testRegion, map[string]string{"alertscaler:enable": "false"})
	add("asg-3", "other", testRegion, map[string]string{"alertscaler:max": "3"})
	add("asg-4", "elsewhere", "cn-beijing", map[string]string{"alertscaler:enable": "true"})
	s, host := api(t, groups...)
	s.TagsPerPage = 1
	d := discovery(t, host)
	got, err := d.Discover(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	target1 := &Config{ScalingGroupID: "asg-1", Access: access(host)}
	target2 := &Config{ScalingGroupID: "asg-2", Access: access(host)}
	want := []target.Discovered{
		{Name: "web", ScaleTarget: "web", What: "scaling group web (asg-1)", Labels: map[string]string{"enable": "true", "max": "20"}, Target: target1},
		{Name: "asg-2", ScaleTarget: "asg-2", What: "scaling group 电商 (asg-2)", Labels: map[string]string{"enable": "false"}, Target: target2},
	}
	if diff := cmp.Diff(want, got, cmpopts.IgnoreUnexported(Config{})); diff != "" {
		t.Error(diff)
	}
	tgt, err := got[0].Target.New(target.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if st := current(t, tgt); st.Requested != 1 {
		t.Errorf("%+v", st)
	}
}

func TestDiscoverMany(t *testing.T) {
	t.Parallel()
	var groups []aliyuntest.Group
	for i := range 130 {
		groups = append(groups, aliyuntest.Group{ID: fmt.Sprintf("asg-%d", i), Name: fmt.Sprintf("web-%d", i), Max: 1, Tags: map[string]string{"alertscaler:enable": "true"}})
	}
	s, host := api(t, groups...)
	got, err := discovery(t, host).Discover(t.Context())
	if err != nil || len(got) != 130 {
		t.Errorf("%d found, %v, want 130", len(got), err)
	}
	if calls := s.Calls(); calls["ListTagResources"] != 3 || calls["DescribeScalingGroups"] != 7 {
		t.Errorf("calls: %v", calls)
	}
}

func TestDiscoverFails(t *testing.T) {
	t.Parallel()
	for action, calls := range map[string]int{"ListTagResources": 2, "DescribeScalingGroups": 1} {
		g := web()
		g.Tags = map[string]string{"alertscaler:enable": "true"}
		other := g
		other.ID, other.Name = "asg-2", "other"
		s, host := api(t, g, other)
		s.TagsPerPage = 1
		s.Fault = func(called string, _ map[string]string) *aliyuntest.Error {
			if called == action && s.Calls()[called] >= calls {
				return &aliyuntest.Error{Status: 403, Code: "Forbidden.RAM", Message: "User not authorized."}
			}
			return nil
		}
		got, err := discovery(t, host).Discover(t.Context())
		if target.KindOf(err) != target.KindUnauthorized || got != nil {
			t.Errorf("%s: %v, %v, want nothing but an error", action, got, err)
		}
	}
	got, err := discovery(t, unreachable).Discover(t.Context())
	if target.KindOf(err) != target.KindTemporary || got != nil {
		t.Errorf("unreachable: %v, %v", got, err)
	}
}
