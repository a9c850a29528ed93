package realtest

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// recorder stands in for a test to see how a helper ends it.
type recorder struct {
	testing.TB
	skipped, failed string
}

func (r *recorder) Helper()                   {}
func (r *recorder) Skipf(f string, a ...any)  { r.skipped = fmt.Sprintf(f, a...); panic(r) }
func (r *recorder) Fatalf(f string, a ...any) { r.failed = fmt.Sprintf(f, a...); panic(r) }

// ends runs what ends a test, and returns how it did.
func ends(f func(testing.TB)) (r *recorder) {
	r = &recorder{}
	defer func() {
		if p := recover(); p != nil && p != any(r) {
			panic(p)
		}
	}()
	f(r)
	return r
}

func TestMissingPartsSkipByNameOrFail(t *testing.T) {
	t.Setenv("ALERTSCALER_TOOLS", t.TempDir())
	t.Setenv("PATH", "")
	t.Setenv("DOCKER_HOST", "unix:///nowhere/docker.sock")

	for name, tc := range map[string]struct {
		need func(testing.TB)
		says string
	}{
		"a pinned tool": {func(t testing.TB) { Tool(t, "promtool") }, "run `make tools`"},
		"another":       {func(t testing.TB) { Tool(t, "ansible-playbook") }, "needs ansible-playbook on PATH"},
		"docker":        {func(t testing.TB) { Docker(t) }, "needs a Docker Engine"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Setenv("REQUIRE_ALL", "")
			if r := ends(tc.need); !strings.Contains(r.skipped, tc.says) || r.failed != "" {
				t.Errorf("skipped %q, failed %q, want a skip that says %q", r.skipped, r.failed, tc.says)
			}
			t.Setenv("REQUIRE_ALL", "1")
			if r := ends(tc.need); !strings.Contains(r.failed, tc.says) || r.skipped != "" {
				t.Errorf("skipped %q, failed %q, want a failure that says %q", r.skipped, r.failed, tc.says)
			}
		})
	}
}

func TestToolPrefersThePinnedVersion(t *testing.T) {
	built, path := t.TempDir(), t.TempDir()
	t.Setenv("ALERTSCALER_TOOLS", built)
	t.Setenv("PATH", path)

	// The same module at two versions, and one that is pinned elsewhere.
	for _, name := range []string{"alertmanager", "amtool", "cadvisor"} {
		version, err := pinned(name)
		if err != nil || version == "" {
			t.Fatalf("pinned(%s) = %q, %v", name, version, err)
		}
		onPath := filepath.Join(path, name)
		if err := os.WriteFile(onPath, nil, 0o755); err != nil {
			t.Fatal(err)
		}
		if got := Tool(t, name); got != onPath {
			t.Errorf("before it is built, Tool(%s) = %s, want %s", name, got, onPath)
		}
		want := filepath.Join(built, name+"-"+version)
		if err := os.WriteFile(want, nil, 0o755); err != nil {
			t.Fatal(err)
		}
		if got := Tool(t, name); got != want {
			t.Errorf("Tool(%s) = %s, want %s", name, got, want)
		}
	}
}

func TestEventually(t *testing.T) {
	calls := 0
	Eventually(t, time.Second, time.Millisecond, "the third call", func() error {
		if calls++; calls < 3 {
			return errors.New("not yet")
		}
		return nil
	})
	if calls != 3 {
		t.Errorf("called %d times, want 3", calls)
	}

	r := ends(func(t testing.TB) {
		Eventually(t, 5*time.Millisecond, time.Millisecond, "the end of time", func() error { return errors.New("not yet") })
	})
	if want := "the end of time: not within 5ms: not yet"; r.failed != want {
		t.Errorf("failed with %q, want %q", r.failed, want)
	}
}

func TestProcessEndsAndStartsAgain(t *testing.T) {
	p := Start(t, GoBuild(t, "testdata/hello"), "world")
	says := func(what string, times int) {
		t.Helper()
		Eventually(t, 10*time.Second, 10*time.Millisecond, what+" in the log", func() error {
			if log := p.Log(); strings.Count(log, what) != times {
				return errors.New("it says " + log)
			}
			return nil
		})
	}
	says("hello [world]", 1)
	first := p.PID()
	p.Stop(t)
	says("goodbye", 1)
	p.Restart(t)
	says("hello [world]", 2)
	if p.PID() == first {
		t.Error("the restarted program has the old process id")
	}
	p.Kill()
	<-p.Exited()
	says("goodbye", 1)
}
