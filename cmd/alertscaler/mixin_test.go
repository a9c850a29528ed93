package main_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql/parser"
	"go.yaml.in/yaml/v3"

	"github.com/alertscaler/alertscaler/scaler/realtest"
)

// notAlways are metrics that this host may not have, each with the reason.
var notAlways = map[string]string{
	"alertscaler_replica_network_bytes_total": "only for a replica with a network namespace of its own",
	"alertscaler_replica_disk_bytes_total":    "only where the kernel accounts for it",
}

// others are the beginnings of what other programs export.
var others = []string{"up", "container_", "machine_", "kube_", "node_", "scrape_"}

// TestWhatIsReadIsExported: every series that a shipped rule, alert or
// dashboard reads is exported by the program or recorded by another rule, and
// every metric that the pages list is exported. An alert on a metric that
// nobody exports never fires.
func TestWhatIsReadIsExported(t *testing.T) {
	t.Parallel()
	s := startServer(t, `
global: { evaluation_interval: 200ms }
prometheus: { url: http://127.0.0.1:1 }
alertmanager: { url: http://127.0.0.1:1 }
budgets: [{ name: all, policies: ['name=~".+"'], max_replicas: 20, max_cost_per_hour: 9 }]
discovery: [{ name: swarm, docker_services: { host: tcp://127.0.0.1:1 } }]
policies:
  - name: web
    min: 1
    max: 9
    resources: [{ name: cpu, reservation: { ratio: 0.3, objective: 0.99 } }]
    targets: [{ name: local, cost_per_hour: 1, drain: { command: ["true"] }, process: { command: [sleep, "1000"], capacity: { cpu: 1 } } }]
`)
	realtest.Eventually(t, 30*time.Second, 100*time.Millisecond, "a replica is measured", func() error {
		if n, ready := counts(s.policy("web")); n == 0 || ready == 0 {
			return os.ErrNotExist
		}
		return nil
	})
	exported := make(map[string]bool)
	for l := range strings.Lines(s.text("/metrics")) {
		if name := metricName.FindString(l); name != "" {
			exported[name] = true
		}
		if typed, ok := strings.CutPrefix(l, "# TYPE "); ok {
			exported[strings.Fields(typed)[0]] = true
		}
	}
	root := filepath.Join("..", "..")
	recorded, read := make(map[string]bool), make(map[string][]string)
	for _, file := range shippedFiles(t, root) {
		b, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var root yaml.Node // dashboards are JSON, which is YAML too
		if err := yaml.Unmarshal(b, &root); err != nil {
			t.Fatalf("%s: %s", file, err)
		}
		expressions(&root, func(key, text string) {
			if key == "record" {
				recorded[text] = true
				return
			}
			for _, name := range reads(t, file, text) {
				read[name] = append(read[name], filepath.Base(file))
			}
		})
	}
	if len(read) < 20 || len(recorded) < 10 {
		t.Fatalf("%d series read and %d recorded: the rules were not found", len(read), len(recorded))
	}
	for name, files := range read {
		switch foreign := func(prefix string) bool { return strings.HasPrefix(name, prefix) }; {
		case recorded[name], exported[name], notAlways[name] != "":
		case !strings.HasPrefix(name, "alertscaler_") && slices.ContainsFunc(others, foreign):
		default:
			t.Errorf("%s reads %s, which nothing exports or records", strings.Join(slices.Compact(files), ", "), name)
		}
	}
	for _, page := range []string{"README.md", "README.zh-CN.md", "mixin/runbook.md", "mixin/README.md"} {
		b, err := os.ReadFile(filepath.Join(root, page))
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range listed.FindAllStringSubmatch(string(b), -1) {
			if name := m[1]; !exported[name] && notAlways[name] == "" {
				t.Errorf("%s speaks of %s, which nothing exports", page, name)
			}
		}
	}
}

var (
	metricName = regexp.MustCompile(`^[a-zA-Z_:][a-zA-Z0-9_:]*`)
	// listed is a metric of ours in a page.
	listed = regexp.MustCompile("`(alertscaler_[a-z_]*[a-z])[`{]")
	// braces is what Grafana puts into expressions.
	braces = regexp.MustCompile(`\$\{?__?[a-z_]+(:[a-z]+)?\}?|\$\{?[a-zA-Z]+(:[a-z]+)?\}?`)
)

// shippedFiles are the rendered rules, and dashboards where there are some.
func shippedFiles(t *testing.T, root string) []string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(root, "rules", "*.yml"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no rules: %v", err)
	}
	err = filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() && strings.HasSuffix(path, ".json") && strings.Contains(path, "dashboard") {
			files = append(files, path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

// expressions calls found with every PromQL below n, and with the names of
// recorded series.
func expressions(n *yaml.Node, found func(key, text string)) {
	for i, c := range n.Content {
		if n.Kind == yaml.MappingNode && i%2 == 1 {
			if key := n.Content[i-1].Value; c.Kind == yaml.ScalarNode && slices.Contains([]string{"expr", "record"}, key) {
				found(key, c.Value)
			}
		}
		expressions(c, found)
	}
}

// reads are the names of the series that PromQL selects.
func reads(t *testing.T, file, expr string) []string {
	t.Helper()
	parsed, err := parser.NewParser(parser.Options{}).ParseExpr(braces.ReplaceAllString(expr, "1m"))
	if err != nil {
		t.Fatalf("%s: %q: %s", file, expr, err)
	}
	var names []string
	for _, selector := range parser.ExtractSelectors(parsed) {
		for _, m := range selector {
			if m.Name == model.MetricNameLabel && m.Type == labels.MatchEqual {
				names = append(names, m.Value)
			}
		}
	}
	return names
}
