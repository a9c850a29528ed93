package rules_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
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
				scales := name == "scale.alerts.yml" || strings.HasSuffix(name, ".scale.yml")
				severity, scale := r.Labels["severity"], r.Labels["scale"]
				switch {
				case scales && (severity != "" || scale != "up" && scale != "down"):
					t.Errorf("%s: labels %v: want a direction and nothing that pages", r.Alert, r.Labels)
				case !scales && severity != "warning" && severity != "critical":
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

// TestOneGroupDoesTheSame runs the tests of the sources, and of the whole loop, on
// the files in which all of a source is one group.
func TestOneGroupDoesTheSame(t *testing.T) {
	here, err := filepath.Abs(".")
	if err != nil {
		t.Fatal(err)
	}
	parts := regexp.MustCompile(`\.\./(process|docker|kubernetes|node)\.rules\.yml`)
	whole := regexp.MustCompile(`(?m)^ +- \.\./scale\.(rules|alerts)\.yml\n|^group_eval_order:\n( +- .*\n)+`)
	dir := t.TempDir()
	var tests []string
	for _, name := range []string{"process", "docker", "kubernetes", "node", "sources", "loop"} {
		b, err := os.ReadFile(filepath.Join("tests", name+".test.yml"))
		if err != nil {
			t.Fatal(err)
		}
		text := parts.ReplaceAllString(whole.ReplaceAllString(string(b), ""), "../$1.scale.yml")
		if text == string(b) || strings.Contains(text, "scale.alerts.yml") {
			t.Fatalf("%s.test.yml names its rule files in another way than this test knows", name)
		}
		path := filepath.Join(dir, name+".test.yml")
		if err := os.WriteFile(path, []byte(strings.ReplaceAll(text, "../", here+"/")), 0o644); err != nil {
			t.Fatal(err)
		}
		tests = append(tests, path)
	}
	promtool(t, append([]string{"test", "rules"}, tests...)...)
}

// TestAlertFollowsItsSample: in each file of a source what an alert reads is
// recorded before it in its own group, so that it never waits for another.
func TestAlertFollowsItsSample(t *testing.T) {
	series := regexp.MustCompile(`\bscale_target\w*:\w+:\w+`)
	for name, file := range shipped(t) {
		if !strings.HasSuffix(name, ".scale.yml") {
			continue
		}
		if len(file.Groups) != 1 {
			t.Errorf("%s has %d groups, want one", name, len(file.Groups))
		}
		recorded, alerts := map[string]bool{}, 0
		for _, r := range file.Groups[0].Rules {
			for _, s := range series.FindAllString(r.Expr, -1) {
				if !recorded[s] {
					t.Errorf("%s: %s%s reads %s, which nothing before it records", name, r.Record, r.Alert, s)
				}
			}
			recorded[r.Record] = true
			if r.Alert != "" {
				alerts++
			}
		}
		if alerts != 3 {
			t.Errorf("%s has %d alerts, want 3", name, alerts)
		}
	}
}
