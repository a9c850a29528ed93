package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var yamlBlock = regexp.MustCompile("(?s)\n```yaml\n(.*?\n)```\n")

// block is the one YAML example of a document that begins with the given text.
func block(t *testing.T, file, prefix string) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("..", "..", file))
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, m := range yamlBlock.FindAllStringSubmatch(string(b), -1) {
		if strings.HasPrefix(m[1], prefix) {
			out = append(out, m[1])
		}
	}
	if len(out) != 1 {
		t.Fatalf("%s has %d examples that begin with %q, want 1", file, len(out), prefix)
	}
	return out[0]
}

func write(t *testing.T, dir, name, text string) string {
	t.Helper()
	path := filepath.Join(dir, name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// TestTheReadmesConfigurationIsValid: the annotated configuration loads.
func TestTheReadmesConfigurationIsValid(t *testing.T) {
	for _, file := range []string{"README.md", "README.zh-CN.md"} {
		path := write(t, t.TempDir(), "alertscaler.yml", block(t, file, "global:"))
		if code, _, stderr := tool("check", "config", path); code != exitOK {
			t.Errorf("%s: exit %d\n%s", file, code, stderr)
		}
	}
}

// TestTheDocumentedPolicyTestsPass: the example of docs/policy-tests.md runs.
func TestTheDocumentedPolicyTestsPass(t *testing.T) {
	const file = "docs/policy-tests.md"
	dir := t.TempDir()
	write(t, dir, "alertscaler.yml", block(t, file, "prometheus:"))
	tests := write(t, dir, "policies.test.yml", block(t, file, "config_file:"))
	if code, stdout, stderr := tool("test", tests); code != exitOK {
		t.Errorf("exit %d\n%s%s", code, stdout, stderr)
	}
}

// TestTheDocumentedDiscoveryIsValid: the example of docs/discovery.md loads.
func TestTheDocumentedDiscoveryIsValid(t *testing.T) {
	path := write(t, t.TempDir(), "alertscaler.yml", block(t, "docs/discovery.md", "policy_templates:"))
	code, stdout, stderr := tool("check", "config", path)
	if code != exitOK {
		t.Fatalf("exit %d\n%s", code, stderr)
	}
	for _, want := range []string{"SUCCESS, 0 policies", "template default: 1..10 replicas, 0 resources, mode on", "discovery swarm: docker_services every 30s"} {
		if !strings.Contains(stdout, want) {
			t.Errorf("it does not say %q:\n%s", want, stdout)
		}
	}
}

// TestTheDocumentedSimulationRuns: the example of docs/simulate.md, with the
// rows that are printed there.
func TestTheDocumentedSimulationRuns(t *testing.T) {
	page, err := os.ReadFile(filepath.Join("..", "..", "docs", "simulate.md"))
	if err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join("..", "..", "docs", "simulate")
	code, stdout, stderr := tool("simulate", "--policy=web", "--config.file="+filepath.Join(dir, "alertscaler.yml"),
		"--against="+filepath.Join(dir, "less.yml"), "--input="+filepath.Join(dir, "requests.csv"))
	if code != exitOK {
		t.Fatalf("exit %d: %s", code, stderr)
	}
	for line := range strings.Lines(stdout) {
		name, _, _ := strings.Cut(line, "  ")
		if strings.HasPrefix(name, "Policy web") {
			continue // with the path of the file
		}
		if !strings.Contains(string(page), "\n"+strings.TrimSuffix(name, "\n")) {
			t.Errorf("the page has no line %q", name)
		}
	}
}
