package gcp

import (
	"os"
	"regexp"
	"testing"

	"go.yaml.in/yaml/v3"

	"github.com/alertscaler/alertscaler/scaler/target"
	"github.com/alertscaler/alertscaler/scaler/target/gcp/gcptest"
)

// documented returns the YAML examples of docs/gcp.md.
func documented(t *testing.T) [][]byte {
	t.Helper()
	doc, err := os.ReadFile("../../../docs/gcp.md")
	if err != nil {
		t.Fatal(err)
	}
	var out [][]byte
	for _, m := range regexp.MustCompile("(?s)```yaml\n(.*?)```").FindAllSubmatch(doc, -1) {
		out = append(out, m[1])
	}
	return out
}

// TestDocumentedRole scales up and down and discovers under exactly the role of
// docs/gcp.md.
func TestDocumentedRole(t *testing.T) {
	virtual(t, testDocumentedRole)
}

func testDocumentedRole(t *testing.T) {
	var role struct {
		IncludedPermissions []string `yaml:"includedPermissions"`
	}
	for _, text := range documented(t) {
		if err := yaml.Unmarshal(text, &role); err != nil {
			t.Fatal(err)
		}
		if len(role.IncludedPermissions) > 0 {
			break
		}
	}
	for _, where := range []string{"zone", "region"} {
		g := serve(t, &gcptest.Server{})
		m := web()
		m.Autoscaler, m.AutoscalerMode = "web", "OFF"
		m.Labels = map[string]string{"alertscaler-enable": "true"}
		if where == "region" {
			m.Zone, m.Region = "", region
		}
		g.Create(m)
		g.key = g.keyOf(t, "documented@shop.iam.gserviceaccount.com", role.IncludedPermissions...)
		found, err := g.discovery(t).Discover(t.Context())
		if err != nil || len(found) != 1 {
			t.Fatalf("discovered %v, %v", found, err)
		}
		tgt := impatient(build(t, g.config(m)))
		if err := tgt.Scale(t.Context(), 4); err != nil {
			t.Fatal(err)
		}
		eventually(t, tgt, "4 are ready", func(st target.State) bool { return st.Ready == 4 })
		rs, err := tgt.Replicas(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if err := tgt.ScaleDown(t.Context(), 3, []string{rs.List[0].ID}); err != nil {
			t.Fatal(err)
		}
		eventually(t, tgt, "3 are ready", func(st target.State) bool { return st.Ready == 3 && st.Requested == 3 })
	}
}

// TestDocumentedExample decodes every target and discovery of docs/gcp.md.
func TestDocumentedExample(t *testing.T) {
	t.Parallel()
	targets, discoveries := 0, 0
	for _, text := range documented(t) {
		var c struct {
			Policies []struct {
				Targets []struct {
					MIG *Config `yaml:"gcp_mig"`
				}
			}
			Discovery []struct {
				MIGs *DiscoveryConfig `yaml:"gcp_migs"`
			}
		}
		if err := yaml.Unmarshal(text, &c); err != nil {
			t.Fatalf("%v in:\n%s", err, text)
		}
		for _, p := range c.Policies {
			for _, tgt := range p.Targets {
				targets++
				if err := tgt.MIG.Validate(); err != nil {
					t.Errorf("%v in:\n%s", err, text)
				}
			}
		}
		for _, d := range c.Discovery {
			discoveries++
			if err := d.MIGs.Validate(); err != nil {
				t.Errorf("%v in:\n%s", err, text)
			}
		}
	}
	if targets == 0 || discoveries == 0 {
		t.Errorf("%d targets and %d discoveries in the examples", targets, discoveries)
	}
}
