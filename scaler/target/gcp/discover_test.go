package gcp

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/alertscaler/alertscaler/scaler/target"
	"github.com/alertscaler/alertscaler/scaler/target/gcp/gcptest"
)

func (g google) discovery(t testing.TB, locations ...string) target.Discoverer {
	t.Helper()
	cfg := &DiscoveryConfig{
		Account:   Account{Project: "shop", CredentialsFile: g.key, Endpoint: g.url},
		Locations: locations, clients: wired(),
	}
	if err := cfg.Validate(); err != nil {
		t.Fatal(err)
	}
	d, err := cfg.New(target.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = d.(target.Closer).Close() })
	return d
}

func TestDiscover(t *testing.T) {
	t.Parallel()
	g := serve(t, &gcptest.Server{PageSize: 2})
	zonal, regional, silent, other := web(), web(), web(), web()
	zonal.Labels = map[string]string{"alertscaler-enable": "true", "alertscaler-max": "20", "team": "shop"}
	zonal.Metadata = map[string]string{"alertscaler-ratio": "0.3", "alertscaler-max": "30", "startup-script": "x"}
	regional.Zone, regional.Region, regional.Name = "", region, "api"
	regional.Metadata = map[string]string{"alertscaler-enable": "false", "alertscaler-cost-per-hour": "0.19"}
	silent.Name, silent.Labels = "db", map[string]string{"alertscaler-max": "3"}
	other.Project, other.Labels = "another", map[string]string{"alertscaler-enable": "true"}
	for _, m := range []gcptest.Group{zonal, regional, silent, other} {
		g.Create(m)
	}
	got, err := g.discovery(t).Discover(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	lines := make([]string, 0, len(got))
	for _, d := range got {
		lines = append(lines, fmt.Sprintf("%s %s %q %v %s", d.Name, d.ScaleTarget, d.What, d.Labels, d.Target.Identity()))
	}
	want := []string{
		`europe-west1-b:web web "instance group europe-west1-b/web" map[enable:true max:30 ratio:0.3] gcp_mig projects/shop/zones/europe-west1-b/web at ` + g.url,
		`europe-west1:api api "instance group europe-west1/api" map[cost_per_hour:0.19 enable:false] gcp_mig projects/shop/regions/europe-west1/api at ` + g.url,
	}
	if diff := cmp.Diff(want, lines); diff != "" {
		t.Errorf("discovered (-want +got):\n%s", diff)
	}
	if err := got[0].Target.Validate(); err != nil {
		t.Error(err)
	}
	tgt, err := got[0].Target.New(target.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if st := current(t, tgt); st.Requested != 2 || st.Ready != 2 {
		t.Errorf("%+v of what was discovered", st)
	}
	if some, err := g.discovery(t, region).Discover(t.Context()); err != nil || len(some) != 1 {
		t.Errorf("%v, %v, want the one of the region", some, err)
	}
	if n := count(g, "/aggregated/"); n != 4 {
		t.Errorf("%d requests, want two pages each time", n)
	}
}

func TestDiscoverErrors(t *testing.T) {
	t.Parallel()
	g := serve(t, &gcptest.Server{})
	g.Inject(gcptest.Fault{Path: "/aggregated/", Status: 403, Reason: "forbidden", Message: "no"})
	if got, err := g.discovery(t).Discover(t.Context()); target.KindOf(err) != target.KindUnauthorized || got != nil {
		t.Errorf("%v, %v (kind %q)", got, err, target.KindOf(err))
	}
	for text, field := range map[string]string{
		"{}":                                 "project",
		"{ project: shop, locations: [EU] }": "locations",
		"{ project: shop, locations: [eu-a, eu-a] }": "locations",
	} {
		cfg := new(Clients).NewDiscoveryConfig()
		if err := decode(cfg, text); err != nil {
			t.Fatal(err)
		}
		if fe, ok := errors.AsType[*target.FieldError](cfg.Validate()); !ok || fe.Field != field {
			t.Errorf("%s: %v, want it to blame %s", text, cfg.Validate(), field)
		}
	}
	if err := decode(new(Clients).NewDiscoveryConfig(), "{ project: shop, zone: x }"); err == nil || !strings.Contains(err.Error(), "zone") {
		t.Errorf("an unknown key: %v", err)
	}
}
