package aliyun

import (
	"encoding/json"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/alertscaler/alertscaler/scaler/target"
	"github.com/alertscaler/alertscaler/scaler/target/aliyun/aliyuntest"
)

// documented returns the blocks of docs/aliyun.md in a language.
func documented(t *testing.T, language string) []string {
	t.Helper()
	doc, err := os.ReadFile("../../../docs/aliyun.md")
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, m := range regexp.MustCompile("(?s)```"+language+"\n(.*?)```").FindAllSubmatch(doc, -1) {
		out = append(out, string(m[1]))
	}
	return out
}

// allowed returns the actions that the documented policy allows.
func allowed(t *testing.T) []string {
	t.Helper()
	var policy struct {
		Version   string
		Statement []struct {
			Effect           string
			Action, Resource []string
		}
	}
	blocks := documented(t, "json")
	if len(blocks) == 0 {
		t.Fatal("no policy is documented")
	}
	if err := json.Unmarshal([]byte(blocks[0]), &policy); err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, s := range policy.Statement {
		if s.Effect != "Allow" || len(s.Resource) == 0 {
			t.Errorf("%+v", s)
		}
		out = append(out, s.Action...)
	}
	return out
}

// TestDocumentedExamples loads the examples of the page as they are written.
func TestDocumentedExamples(t *testing.T) {
	t.Parallel()
	targets, discoveries := 0, 0
	for _, text := range documented(t, "yaml") {
		var c struct {
			Policies []struct {
				Targets []struct {
					Name string
					ESS  yaml.Node `yaml:"aliyun_ess"`
				}
			}
			Discovery []struct {
				ESS yaml.Node `yaml:"aliyun_ess"`
			}
		}
		if err := yaml.Unmarshal([]byte(text), &c); err != nil {
			t.Fatalf("%v\n%s", err, text)
		}
		for _, p := range c.Policies {
			for _, one := range p.Targets {
				if one.ESS.IsZero() {
					continue
				}
				cfg := new(Clients).NewConfig()
				valid(t, cfg, &one.ESS, cfg.Validate)
				targets++
			}
		}
		for _, d := range c.Discovery {
			cfg := new(Clients).NewDiscoveryConfig()
			valid(t, cfg, &d.ESS, cfg.Validate)
			discoveries++
		}
	}
	if targets == 0 || discoveries == 0 {
		t.Errorf("%d targets and %d discoveries are documented", targets, discoveries)
	}
}

func valid(t *testing.T, cfg any, node *yaml.Node, validate func() error) {
	t.Helper()
	text, err := yaml.Marshal(node)
	if err != nil {
		t.Fatal(err)
	}
	if err := decode(cfg, string(text)); err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	if err := validate(); err != nil {
		t.Errorf("%v\n%s", err, text)
	}
}

// TestDocumentedPolicy does everything under exactly the documented policy, and
// needs all of it.
func TestDocumentedPolicy(t *testing.T) {
	t.Parallel()
	actions := allowed(t)
	both(t, func(t *testing.T, g aliyuntest.Group) {
		g.Count = 4
		g.Tags = map[string]string{"alertscaler:enable": "true"}
		s, host := api(t, g)
		s.Users = map[string]aliyuntest.User{testKey: {Secret: testSecret, Actions: actions}}
		tgt := at(t, host)
		if err := tgt.Scale(t.Context(), 5); err != nil {
			t.Fatal(err)
		}
		until(t, tgt, "5 ready", func(st target.State) bool { return st.Ready == 5 })
		if err := tgt.ScaleDown(t.Context(), 3, replicaIDs(replicas(t, tgt))[:2]); err != nil {
			t.Fatal(err)
		}
		if _, err := discovery(t, host).Discover(t.Context()); err != nil {
			t.Fatal(err)
		}
		current(t, tgt)
		time.Sleep(20 * time.Millisecond)
		calls := s.Calls()
		for _, a := range actions {
			name, _ := strings.CutPrefix(a, "ess:")
			other := map[string]bool{"ModifyScalingGroup": !g.Expected, "ScaleWithAdjustment": g.Expected}
			if calls[name] == 0 && !other[name] {
				t.Errorf("%s is allowed and not used", a)
			}
		}
		for name := range calls {
			if !slices.Contains(actions, "ess:"+name) {
				t.Errorf("%s is used and not allowed", name)
			}
		}
	})
}
