package main_test

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/alertscaler/alertscaler/scaler/policy"
	"github.com/alertscaler/alertscaler/scaler/realtest"
	"github.com/alertscaler/alertscaler/scaler/status"
	"github.com/alertscaler/alertscaler/scaler/target/install"
)

// The most that the program may take, with all platforms in it.
const (
	mostOnDisk = 60 << 20
	// Idle, what the kernel has of it in memory, pages of the program's own file
	// included.
	mostResident = 40 << 20
	// With a target of each platform, what is its own and of no file. How much of
	// the file the kernel keeps mapped beside is up to the kernel.
	mostPrivate = 25 << 20
)

// TestFootprint measures what users get.
func TestFootprint(t *testing.T) {
	t.Parallel()
	if runtime.GOOS != "linux" {
		t.Skip("reads /proc")
	}
	program := released(t)
	file, err := os.Stat(program)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%.1f MB stripped", float64(file.Size())/(1<<20))
	if file.Size() > mostOnDisk {
		t.Errorf("the program has %d bytes, and %d at most are allowed", file.Size(), mostOnDisk)
	}

	idle := startProgram(t, []string{program}, realtest.FreePort(t), sleepers(""))
	idle.eventually(time.Minute, "one replica", "web", replicas(1))
	idle.takes(t, "VmRSS", mostResident)
	idle.Stop(t)

	targets, env := oneOfEach(t)
	var config strings.Builder
	config.WriteString("global: { evaluation_interval: 1s }\npolicies:\n")
	for name, target := range targets {
		fmt.Fprintf(&config, "  - name: %s\n    min: 2\n    max: 8\n    targets:\n      - name: only\n        %s\n", name, target)
	}
	s := startProgram(t, slices.Concat([]string{"env"}, env, []string{program}), realtest.FreePort(t), config.String())
	for name := range targets {
		if _, there := clouds[name]; there || name == "process" {
			s.eventually(time.Minute, "two replicas of "+name, name, replicas(2))
			continue
		}
		s.eventually(time.Minute, name+" is out of reach", name, func(st status.Policy) error {
			if st.Last.Reason != policy.ReasonTargetFailed {
				return fmt.Errorf("%s", st.Explanation)
			}
			return nil
		})
	}
	s.takes(t, "RssAnon", mostPrivate)
}

// oneOfEach is a target of each platform, and the environment that they need.
// Those of the clouds are there, the others out of reach, but for processes.
func oneOfEach(t *testing.T) (targets map[string]string, env []string) {
	t.Helper()
	playbook := filepath.Join(t.TempDir(), "web.yml")
	if err := os.WriteFile(playbook, []byte("- { hosts: all, tasks: [] }\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	closed := fmt.Sprintf("http://127.0.0.1:%d", realtest.FreePort(t))
	targets = map[string]string{
		"ansible":          fmt.Sprintf(`ansible: { playbook: %q, inventory: "localhost,", current: { command: ["false"] } }`, playbook),
		"awx":              fmt.Sprintf("awx: { url: %s, job_template: web, current: { inventory: all, group: web }, basic_auth: { username: a, password: b } }", closed),
		"command":          `command: { current: ["false"], scale: ["true", "{desired}"] }`,
		"docker_container": fmt.Sprintf("docker_container: { template: web, host: %s }", strings.Replace(closed, "http", "tcp", 1)),
		"docker_service":   fmt.Sprintf("docker_service: { name: web, host: %s }", strings.Replace(closed, "http", "tcp", 1)),
		"http":             fmt.Sprintf("http: { url: %s/web }", closed),
		"kubernetes":       fmt.Sprintf("kubernetes: { namespace: default, name: web, kubeconfig: %q }", realtest.KubeconfigFor(t, closed, "", "token")),
		"nomad":            fmt.Sprintf("nomad: { job: web, group: web, address: %s }", closed),
		"process":          `process: { command: [sleep, "1000"] }`,
	}
	for name, start := range clouds {
		c := start(t)
		targets[name] = c.target
		env = append(env, c.env...)
	}
	if diff := cmp.Diff(install.Registry().Names(), slices.Sorted(maps.Keys(targets))); diff != "" {
		t.Fatalf("not one target of each platform (-want +got):\n%s", diff)
	}
	return targets, env
}

// takes fails the test where the process goes on taking more memory of a kind
// than that, in bytes. What starting took is given back some time later.
func (s *server) takes(t *testing.T, kind string, most int) {
	t.Helper()
	realtest.Eventually(t, 2*time.Minute, 5*time.Second, "little memory", func() error {
		memory := memoryOf(t, s.PID())
		t.Logf("%d bytes resident, %d of them its own", memory["VmRSS"], memory["RssAnon"])
		if got := memory[kind]; got == 0 || got > most {
			return fmt.Errorf("%s is %d bytes, and %d at most are allowed", kind, got, most)
		}
		return nil
	})
}

// memoryOf is what the kernel says of the memory of a process, in bytes.
func memoryOf(t *testing.T, pid int) map[string]int {
	t.Helper()
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		t.Fatal(err)
	}
	out := make(map[string]int)
	for line := range strings.Lines(string(b)) {
		if f := strings.Fields(line); len(f) == 3 && f[2] == "kB" {
			kb, err := strconv.Atoi(f[1])
			if err != nil {
				t.Fatal(err)
			}
			out[strings.TrimSuffix(f[0], ":")] = kb << 10
		}
	}
	return out
}
