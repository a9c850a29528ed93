package azure

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/alertscaler/alertscaler/scaler/target"
	"github.com/alertscaler/alertscaler/scaler/target/azure/azuretest"
)

func discoverAll(t *testing.T, f *fixture, groups ...string) []target.Discovered {
	t.Helper()
	cfg := f.clients.NewDiscoveryConfig().(*DiscoveryConfig)
	cfg.Access, cfg.ResourceGroups = access(f.URL()), groups
	if err := cfg.Validate(); err != nil {
		t.Fatal(err)
	}
	d, err := cfg.New(target.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := d.(target.Closer).Close(); err != nil {
			t.Error(err)
		}
	})
	found, err := d.Discover(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return found
}

func TestDiscover(t *testing.T) {
	t.Parallel()
	tagged := func(group, name string, tags map[string]string) azuretest.Set {
		return azuretest.Set{Group: group, Name: name, Capacity: 1, Tags: tags}
	}
	f := start(t, func(s *azuretest.Server) { s.PageSize = 2 },
		tagged("Shop", "Web", map[string]string{"alertscaler:enable": "true", "alertscaler:max": "9", "team": "shop"}),
		tagged("shop", "db", map[string]string{"Alertscaler-Enable": "false"}),
		tagged("shop", "cache", map[string]string{"alertscaler.enable": "true", "alertscaler-enable": "false"}),
		tagged("shop", "old", map[string]string{"alertscaler:max": "9"}),
		tagged("office(1)", "mail", map[string]string{"alertscaler-enable": "true"}),
	)
	type found struct {
		Name, ScaleTarget, What string
		Labels                  map[string]string
	}
	short := func(all []target.Discovered) []found {
		var out []found
		for _, d := range all {
			out = append(out, found{d.Name, d.ScaleTarget, d.What, d.Labels})
		}
		return out
	}
	shop := []found{
		{"shop:cache", "cache", "scale set shop/cache", map[string]string{"enable": "true"}},
		{"shop:db", "db", "scale set shop/db", map[string]string{"enable": "false"}},
		{"shop:web", "Web", "scale set shop/Web", map[string]string{"enable": "true", "max": "9"}},
	}
	all := append([]found{{"office-1-:mail", "mail", "scale set office(1)/mail", map[string]string{"enable": "true"}}}, shop...)
	if diff := cmp.Diff(all, short(discoverAll(t, f))); diff != "" {
		t.Errorf("of the subscription (-want +got):\n%s", diff)
	}
	got := discoverAll(t, f, "SHOP")
	if diff := cmp.Diff(shop, short(got)); diff != "" {
		t.Errorf("of one group (-want +got):\n%s", diff)
	}
	s := open(t, got[2].Target.(*Config))
	scale(t, s, 2)
	if n := f.Capacity("shop", "web"); n != 2 {
		t.Errorf("what was found and scaled has %d", n)
	}
}

// TestDiscoverNothing: a list that failed is an error, not empty.
func TestDiscoverNothing(t *testing.T) {
	t.Parallel()
	f := start(t, func(s *azuretest.Server) { s.ForbidSubscription = true }, web())
	cfg := &DiscoveryConfig{Access: access(f.URL()), clients: f.clients}
	d, err := cfg.New(target.Options{})
	if err != nil {
		t.Fatal(err)
	}
	found, err := d.Discover(t.Context())
	wantKind(t, "Discover", err, target.KindUnauthorized, "subscription")
	if len(found) != 0 {
		t.Errorf("found %v beside an error", found)
	}
}
