// Package examples_test holds the configuration of every example to what the
// programs that read it say of it.
package examples_test

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/alertscaler/alertscaler/scaler/config"
	"github.com/alertscaler/alertscaler/scaler/realtest"
	"github.com/alertscaler/alertscaler/scaler/simulate"
	"github.com/alertscaler/alertscaler/scaler/target/install"
)

// demo has no tests of its policies and no page of its own: the README is that.
const demo = "demo"

// eachExample runs a test for the folder of every example.
func eachExample(t *testing.T, test func(t *testing.T, name string)) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join("*", "alertscaler.yml"))
	if err != nil || len(files) < 4 {
		t.Fatalf("%d examples, want at least 4 (%v)", len(files), err)
	}
	for _, file := range files {
		name := filepath.Dir(file)
		t.Run(name, func(t *testing.T) { test(t, name) })
	}
}

// run runs a tool on a file of an example, and fails where it finds fault.
func run(t *testing.T, tool string, args ...string) {
	t.Helper()
	out, err := exec.Command(realtest.Tool(t, tool), args...).CombinedOutput()
	if err != nil {
		t.Errorf("%s %s: %v\n%s", tool, strings.Join(args, " "), err, out)
	}
}

// TestConfigurationsLoad by the server's own loader. The demo's names a program
// that it has to build first.
func TestConfigurationsLoad(t *testing.T) {
	bin := t.TempDir()
	if err := os.WriteFile(filepath.Join(bin, demo), []byte("#!/bin/sh\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", bin+string(os.PathListSeparator)+os.Getenv("PATH"))
	eachExample(t, func(t *testing.T, name string) {
		if _, err := config.LoadFile(filepath.Join(name, "alertscaler.yml"), install.Registry()); err != nil {
			t.Error(err)
		}
	})
}

// TestPrometheusConfigurations, with the rules that they load.
func TestPrometheusConfigurations(t *testing.T) {
	eachExample(t, func(t *testing.T, name string) {
		run(t, "promtool", "check", "config", filepath.Join(name, "prometheus.yml"))
		rules := filepath.Join(name, "rules.yml")
		if _, err := os.Stat(rules); err == nil {
			run(t, "promtool", "check", "rules", rules)
		} else if name != demo {
			t.Error(err)
		}
	})
}

func TestAlertmanagerConfigurations(t *testing.T) {
	eachExample(t, func(t *testing.T, name string) {
		run(t, "amtool", "check-config", filepath.Join(name, "alertmanager.yml"))
	})
}

// TestPolicies runs the story of each example as scalertool test does.
func TestPolicies(t *testing.T) {
	eachExample(t, func(t *testing.T, name string) {
		if name == demo {
			return
		}
		var out strings.Builder
		err := simulate.TestFiles(t.Context(), &out, []string{filepath.Join(name, "policies.test.yml")}, nil, install.Registry())
		if err != nil {
			t.Errorf("%s\n%s", err, out.String())
		}
	})
}

// TestGeneratedRules are those that scalertool would generate now.
func TestGeneratedRules(t *testing.T) {
	scalertool := realtest.GoBuild(t, "../cmd/scalertool")
	out, err := exec.Command(scalertool, "rules", "generate", "--config.file=cloud-ansible/alertscaler.yml", "--source=node", "--scale-down.for=20s").Output()
	if err != nil {
		t.Fatal(err)
	}
	committed, err := os.ReadFile("cloud-ansible/rules.yml")
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(out, committed) {
		t.Error("cloud-ansible/rules.yml is not what its README says it is; generate it again")
	}
}

// TestReadmes name the command of each example, and make has it.
func TestReadmes(t *testing.T) {
	makefile := read(t, "../Makefile")
	eachExample(t, func(t *testing.T, name string) {
		if name == demo {
			return
		}
		command := "example-" + name
		for _, file := range []string{filepath.Join(name, "README.md"), "README.md", "../README.md", "../README.zh-CN.md"} {
			if !strings.Contains(read(t, file), "make "+command) {
				t.Errorf("%s does not name `make %s`", file, command)
			}
		}
		if !strings.Contains(makefile, "\n"+command+":") {
			t.Errorf("there is no target %s in the Makefile", command)
		}
		if !strings.Contains(read(t, filepath.Join(name, "README.md")), "scalertool test examples/"+name+"/policies.test.yml") {
			t.Errorf("%s/README.md does not say how to test the policies", name)
		}
	})
}

func read(t *testing.T, name string) string {
	t.Helper()
	b, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}
