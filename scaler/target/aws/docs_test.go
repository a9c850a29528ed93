package aws

import (
	"encoding/json"
	"os"
	"regexp"
	"slices"
	"testing"

	"go.yaml.in/yaml/v3"

	"github.com/alertscaler/alertscaler/scaler/target"
	"github.com/alertscaler/alertscaler/scaler/target/aws/awstest"
)

// manual returns what docs/aws.md has in blocks of a language.
func manual(t *testing.T, language string) []string {
	t.Helper()
	page, err := os.ReadFile("../../../docs/aws.md")
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, m := range regexp.MustCompile("(?s)```"+language+"\n(.*?)```").FindAllSubmatch(page, -1) {
		out = append(out, string(m[1]))
	}
	return out
}

// actions are the ones that policies of IAM allow.
func actions(t *testing.T, policies ...string) []string {
	t.Helper()
	var out []string
	for _, text := range policies {
		var p struct {
			Statement []struct{ Action any }
		}
		if err := json.Unmarshal([]byte(text), &p); err != nil {
			t.Fatal(err)
		}
		for _, s := range p.Statement {
			switch a := s.Action.(type) {
			case string:
				out = append(out, a)
			case []any:
				for _, one := range a {
					out = append(out, one.(string))
				}
			}
		}
	}
	return out
}

// TestDocumentedPolicies scales and discovers under exactly the policies of the
// manual, and each of their actions is needed.
func TestDocumentedPolicies(t *testing.T) {
	t.Parallel()
	policies := manual(t, "json")
	if len(policies) != 3 {
		t.Fatalf("%d policies in the manual, want those of groups, of services and of discovery", len(policies))
	}
	allowed := actions(t, policies...)
	used := make(map[string]bool)
	s, conn := serveRegion(t)
	s.AddUser("AKIALEAST", "least-secret", allowed...)
	conn.Profile = "least"
	g := web()
	g.Room, g.Tags = 4, map[string]string{"alertscaler:enable": "true"}
	s.AddGroup(g)
	v := shop()
	v.Tags = g.Tags
	s.AddService(v)
	for _, cfg := range []target.DiscoveryConfig{&ASGDiscoveryConfig{Connection: conn}, &ECSDiscoveryConfig{Connection: conn}} {
		for what, f := range found(t, discoverer(t, cfg)) {
			tgt := build(t, f.Target)
			for _, n := range []int{4, 3, 6} {
				var err error
				if v, ok := tgt.(target.Victims); ok && n == 3 {
					err = v.ScaleDown(t.Context(), n, []string{s.Instances("web")[0].ID})
				} else {
					err = tgt.Scale(t.Context(), n)
				}
				if err != nil {
					t.Errorf("%s to %d: %v", what, n, err)
				}
				if _, err := tgt.Current(t.Context()); err != nil {
					t.Errorf("%s at %d: %v", what, n, err)
				}
			}
		}
	}
	for _, c := range s.Calls() {
		used[c.Service+":"+c.Action] = true
	}
	for _, a := range allowed {
		if !used[a] {
			t.Errorf("the manual allows %s, which nobody needed", a)
		}
	}
	s.AddUser("AKIALEAST", "least-secret", slices.DeleteFunc(allowed, func(a string) bool { return a == "autoscaling:SetDesiredCapacity" })...)
	wantKind(t, "without the action", asg(t, conn).Scale(t.Context(), 5), target.KindUnauthorized, "AccessDenied")
}

// TestDocumentedExample decodes what the manual configures.
func TestDocumentedExample(t *testing.T) {
	t.Parallel()
	var policies struct {
		Policies []struct {
			Targets []struct {
				ASG *ASGConfig `yaml:"aws_asg"`
				ECS *ECSConfig `yaml:"aws_ecs"`
			}
		}
	}
	var discoveries struct {
		Discovery []struct {
			ASG *ASGDiscoveryConfig `yaml:"aws_asg"`
			ECS *ECSDiscoveryConfig `yaml:"aws_ecs"`
		}
	}
	examples := manual(t, "yaml")
	if len(examples) != 3 {
		t.Fatalf("%d examples, want targets, relabelling and discovery", len(examples))
	}
	if err := yaml.Unmarshal([]byte(examples[0]), &policies); err != nil {
		t.Fatal(err)
	}
	if err := yaml.Unmarshal([]byte(examples[2]), &discoveries); err != nil {
		t.Fatal(err)
	}
	s := awstest.New(region)
	s.AddGroup(web())
	s.AddService(shop())
	endpoint := serve(s)
	targets := policies.Policies[0].Targets
	targets[0].ASG.Endpoint, targets[0].ASG.Profile = endpoint, "good"
	targets[1].ECS.Endpoint, targets[1].ECS.Profile = endpoint, "good"
	for _, cfg := range []target.Config{targets[0].ASG, targets[1].ECS} {
		if err := build(t, cfg).Scale(t.Context(), 4); err != nil {
			t.Error(err)
		}
	}
	for _, v := range []target.DiscoveryConfig{discoveries.Discovery[0].ASG, discoveries.Discovery[1].ECS} {
		if err := v.Validate(); err != nil {
			t.Error(err)
		}
	}
}
