package process

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/common/model"
	"go.yaml.in/yaml/v3"

	"github.com/alertscaler/alertscaler/scaler/target"
)

// decode is how the server decodes a platform's part of its configuration.
func decode(text string) (*Config, error) {
	cfg := NewConfig().(*Config)
	dec := yaml.NewDecoder(bytes.NewBufferString(text))
	dec.KnownFields(true)
	return cfg, dec.Decode(cfg)
}

func TestConfig(t *testing.T) {
	t.Parallel()
	got, err := decode(`
command: [sleep, "{port}"]
env: { LISTEN: ":{port}" }
dir: /tmp
ready: { http_path: /ready }
stop_timeout: 1m
max_replicas: 8
capacity: { cpu: 0.5, memory: 128MiB, disk: 10MB, network: 1000000 }
`)
	if err != nil {
		t.Fatal(err)
	}
	if err := got.Validate(); err != nil {
		t.Error(err)
	}
	want := &Config{
		Command:     []string{"sleep", "{port}"},
		Env:         map[string]string{"LISTEN": ":{port}"},
		Dir:         "/tmp",
		Ready:       &ReadyConfig{HTTPPath: "/ready", Interval: model.Duration(time.Second), Timeout: model.Duration(time.Second)},
		StopTimeout: model.Duration(time.Minute),
		MaxReplicas: 8,
		Capacity:    Capacity{CPU: 0.5, Memory: 128 << 20, Disk: 10_000_000, Network: 1_000_000},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestConfigDefaults(t *testing.T) {
	t.Parallel()
	got, err := decode(`command: ["true"]`)
	if err != nil {
		t.Fatal(err)
	}
	want := &Config{Command: []string{"true"}, StopTimeout: model.Duration(10 * time.Second)}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if got.Platform() != "process" || got.Identity() != "" {
		t.Errorf("platform %q, identity %q", got.Platform(), got.Identity())
	}
}

func TestConfigDecodeErrors(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ name, text, want string }{
		{"unknown key", "command: [x]\ncomand: [y]", "line 2: field comand not found"},
		{"unknown nested key", "command: [x]\nready:\n  path: /", "line 3: field path not found"},
		{"a string for a list", "command: sleep 1", "cannot unmarshal"},
		{"duration", "command: [x]\nstop_timeout: soon", "not a valid duration"},
		{"size", "capacity: { memory: much }", `"much" is not a number of bytes`},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			if _, err := decode(test.text); err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("decode: %v, want %q", err, test.want)
			}
		})
	}
}

func TestConfigValidate(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ name, text, field, want string }{
		{"no command", `dir: /`, "command", "must name a program"},
		{"no such program", `command: [no-such-program]`, "command", "not found"},
		{"not a program", `command: [/etc/passwd]`, "command", "permission denied"},
		{"no such directory", `{ command: ["true"], dir: /no/such }`, "dir", "no such file"},
		{"not a directory", `{ command: ["true"], dir: /etc/passwd }`, "dir", "not a directory"},
		{"probe without a port", `{ command: ["true"], ready: {} }`, "ready", "{port}"},
		{"probe without a slash", `{ command: ["true", "{port}"], ready: { http_path: healthz } }`, "ready.http_path", "slash"},
		{"probe without a timeout", `{ command: ["true", "{port}"], ready: { timeout: 0s } }`, "ready.timeout", "above zero"},
		{"probe without an interval", `{ command: ["true", "{port}"], ready: { interval: 0s } }`, "ready.interval", "above zero"},
		{"negative limit", `{ command: ["true"], max_replicas: -1 }`, "max_replicas", "negative"},
		{"negative capacity", `{ command: ["true"], capacity: { cpu: -1 } }`, "capacity.cpu", "above zero"},
		{"capacity that is no number", `{ command: ["true"], capacity: { cpu: .nan } }`, "capacity.cpu", "above zero"},
		{"variable name", `{ command: ["true"], env: { "A=B": c } }`, "env", `"A=B"`},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			cfg, err := decode(test.text)
			if err != nil {
				t.Fatal(err)
			}
			err = cfg.Validate()
			var fe *target.FieldError
			if !errors.As(err, &fe) || fe.Field != test.field || !strings.Contains(fe.Msg, test.want) {
				t.Errorf("Validate: %v, want %s: ...%s...", err, test.field, test.want)
			}
		})
	}
}

func TestConfigSetDirectory(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, "bin"), 0o755); err != nil {
		t.Fatal(err)
	}
	cp(t, worker, filepath.Join(dir, "bin", "worker"))
	for _, test := range []struct{ name, text, program, dir string }{
		{"from PATH", `command: [sleep]`, "sleep", ""},
		{"beside the file", `command: [bin/worker]`, dir + "/bin/worker", ""},
		{"in dir", `{ command: [./worker], dir: bin }`, dir + "/bin/worker", dir + "/bin"},
		{"absolute", `{ command: [/bin/sh], dir: / }`, "/bin/sh", "/"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			cfg, err := decode(test.text)
			if err != nil {
				t.Fatal(err)
			}
			cfg.SetDirectory(dir)
			if cfg.program() != test.program || cfg.Dir != test.dir {
				t.Errorf("program %q in %q, want %q in %q", cfg.program(), cfg.Dir, test.program, test.dir)
			}
			if err := cfg.Validate(); err != nil {
				t.Error(err)
			}
		})
	}
}
