package config_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/alertscaler/alertscaler/scaler/config"
	"github.com/alertscaler/alertscaler/scaler/drain"
	"github.com/alertscaler/alertscaler/scaler/target"
	"github.com/alertscaler/alertscaler/scaler/target/install"
)

// TestProgramsBesideTheConfiguration: a program that is written with a slash is
// the one beside the file, however the file itself is named, and never one of
// the same name in PATH.
func TestProgramsBesideTheConfiguration(t *testing.T) {
	const policy = "policies:\n  - { name: web, max: 3, targets: [{ name: local, %s }] }\n"
	call := func(t *testing.T, c target.Config, do func(context.Context, target.Target) error) {
		t.Helper()
		built, err := c.New(target.Options{Policy: "web", Name: "local"})
		if err != nil {
			t.Fatal(err)
		}
		if closer, ok := built.(target.Closer); ok {
			t.Cleanup(func() { _ = closer.Close() })
		}
		if err := do(t.Context(), built); err != nil {
			t.Logf("call: %s", err)
		}
	}
	scale := func(t *testing.T, c *config.Target) {
		call(t, c.Platform, func(ctx context.Context, built target.Target) error { return built.Scale(ctx, 2) })
	}
	read := func(t *testing.T, c *config.Target) {
		call(t, c.Platform, func(ctx context.Context, built target.Target) error { _, err := built.Current(ctx); return err })
	}
	for _, test := range []struct {
		name, target, program string
		run                   func(*testing.T, *config.Target)
	}{
		{"process", "process: { command: [./worker] }", "worker", scale},
		{"process in a directory", "process: { command: [./worker], dir: . }", "worker", scale},
		{"count", "ansible: { playbook: scale.yml, current: { command: [./count] } }", "count", read},
		{"inventory", "ansible: { playbook: scale.yml, ansible_playbook: ./ansible-playbook, current: { group: web } }", "ansible-inventory", read},
		{"playbook", "ansible: { playbook: scale.yml, ansible_playbook: ./ansible-playbook, current: { command: [./count] } }", "ansible-playbook", scale},
		{"command for current", "command: { current: [./count], scale: [echo, '{desired}'] }", "count", read},
		{"command for scale", "command: { current: [echo, '1'], scale: [./worker, '{desired}'] }", "worker", scale},
		{"command in a directory", "command: { current: [./count], scale: [echo, '{desired}'], dir: . }", "count", read},
		{"drain", "process: { command: [./worker] }, drain: { command: [./finish] }", "finish", func(t *testing.T, c *config.Target) {
			h, err := drain.New(*c.Drain)
			if err != nil {
				t.Fatal(err)
			}
			if err := h.Tell(t.Context(), drain.Request{Action: drain.Drain}); err != nil {
				t.Logf("call: %s", err)
			}
		}},
	} {
		for _, file := range []string{"alertscaler.yml", "./alertscaler.yml", "sub/alertscaler.yml", "../here/alertscaler.yml"} {
			t.Run(test.name+" of "+strings.ReplaceAll(file, "/", "_"), func(t *testing.T) {
				home, path := filepath.Join(t.TempDir(), "here"), t.TempDir()
				beside := filepath.Join(home, filepath.Dir(file))
				marks := t.TempDir()
				if err := os.MkdirAll(beside, 0o755); err != nil {
					t.Fatal(err)
				}
				for dir, whose := range map[string]string{beside: "beside", path: "path"} {
					for _, name := range []string{"worker", "count", "finish", "ansible-playbook", "ansible-inventory"} {
						script := fmt.Sprintf("#!/bin/sh\n: > '%s'\necho 1\n", filepath.Join(marks, whose+" "+name))
						if err := os.WriteFile(filepath.Join(dir, name), []byte(script), 0o755); err != nil {
							t.Fatal(err)
						}
					}
				}
				if err := os.WriteFile(filepath.Join(beside, "scale.yml"), []byte("[]\n"), 0o600); err != nil {
					t.Fatal(err)
				}
				t.Chdir(home)
				t.Setenv("PATH", path+string(os.PathListSeparator)+os.Getenv("PATH"))
				if err := os.WriteFile(file, fmt.Appendf(nil, policy, test.target), 0o600); err != nil {
					t.Fatal(err)
				}
				c, err := config.LoadFile(file, install.Registry())
				if err != nil {
					t.Fatal(err)
				}
				test.run(t, c.Policies[0].Targets[0])
				ran := func(whose string) bool {
					_, err := os.Stat(filepath.Join(marks, whose+" "+test.program))
					return err == nil
				}
				for deadline := time.Now().Add(20 * time.Second); !ran("beside") && !ran("path") && time.Now().Before(deadline); {
					time.Sleep(10 * time.Millisecond)
				}
				if ran("path") {
					t.Error("the program in PATH ran")
				}
				if !ran("beside") {
					t.Error("the program beside the file did not run")
				}
			})
		}
	}
}
