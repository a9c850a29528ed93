package rules_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"github.com/alertscaler/alertscaler/rules"
)

type ruleFile struct {
	Groups []struct {
		Name     string
		Interval string
		Rules    []struct {
			Record, Alert, Expr, For string
			Labels, Annotations      map[string]string
		}
	}
}

// shipped is every rule file, decoded strictly.
func shipped(t *testing.T) map[string]ruleFile {
	t.Helper()
	names, err := fs.Glob(rules.FS, "*.yml")
	if err != nil || len(names) == 0 {
		t.Fatalf("embedded rule files: %v, %v", names, err)
	}
	files := map[string]ruleFile{}
	for _, name := range names {
		f, err := rules.FS.Open(name)
		if err != nil {
			t.Fatal(err)
		}
		d := yaml.NewDecoder(f)
		d.KnownFields(true)
		var decoded ruleFile
		if err := d.Decode(&decoded); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		f.Close()
		files[name] = decoded
	}
	return files
}

// TestRecordedSeries keeps the contract of every source: the same series,
// none of which carries more than what the others carry.
func TestRecordedSeries(t *testing.T) {
	files := shipped(t)
	for _, source := range []string{"process", "docker", "kubernetes", "node"} {
		records := map[string]bool{}
		for _, g := range files[source+".rules.yml"].Groups {
			for _, r := range g.Rules {
				records[r.Record] = true
				contract := strings.HasPrefix(r.Record, "scale_target_resource:") || strings.HasPrefix(r.Record, "scale_target:")
				if contract && len(r.Labels) > 0 {
					t.Errorf("%s: %s is given the labels %v", source, r.Record, r.Labels)
				}
			}
		}
		for _, want := range []string{
			"scale_target_resource:usage:sum", "scale_target_resource:capacity:sum",
			"scale_target:replicas_reporting:count", "scale_target_source:replicas_reporting:count",
		} {
			if !records[want] {
				t.Errorf("%s: %s is not recorded", source, want)
			}
		}
	}
}

func TestAlerts(t *testing.T) {
	runbook, err := os.ReadFile(filepath.Join("..", "mixin", "runbook.md"))
	if err != nil {
		t.Fatal(err)
	}
	for name, file := range shipped(t) {
		for _, g := range file.Groups {
			if g.Interval == "" {
				t.Errorf("%s: group %s has no interval of its own", name, g.Name)
			}
			for _, r := range g.Rules {
				if r.Alert == "" {
					continue
				}
				if !strings.Contains(string(runbook), "\n## "+r.Alert+"\n") {
					t.Errorf("%s has no section in the runbook", r.Alert)
				}
				if want := "#" + strings.ToLower(r.Alert); !strings.HasSuffix(r.Annotations["runbook_url"], want) {
					t.Errorf("%s: runbook_url %q does not end in %s", r.Alert, r.Annotations["runbook_url"], want)
				}
				if r.Annotations["summary"] == "" || r.Annotations["description"] == "" {
					t.Errorf("%s does not say what it means", r.Alert)
				}
				severity, scale := r.Labels["severity"], r.Labels["scale"]
				switch {
				case name == "scale.alerts.yml" && (severity != "" || scale != "up" && scale != "down"):
					t.Errorf("%s: labels %v: want a direction and nothing that pages", r.Alert, r.Labels)
				case name != "scale.alerts.yml" && severity != "warning" && severity != "critical":
					t.Errorf("%s: severity %q", r.Alert, severity)
				}
			}
		}
	}
}

func TestShippedRulesInPrometheus(t *testing.T) {
	files, err := filepath.Glob("*.yml")
	if err != nil {
		t.Fatal(err)
	}
	promtool(t, append([]string{"check", "rules", "--lint=all", "--lint-fatal"}, files...)...)
	tests, err := filepath.Glob("tests/*.test.yml")
	if err != nil {
		t.Fatal(err)
	}
	promtool(t, append([]string{"test", "rules"}, tests...)...)
}
