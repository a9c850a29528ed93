package main_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/procfs"

	"github.com/alertscaler/alertscaler/scaler/realtest"
)

// TestProcessesComeBackAfterACrash: the replicas die with the server, also by
// SIGKILL, and the next one starts as many as were last requested, without an
// alert.
func TestProcessesComeBackAfterACrash(t *testing.T) {
	t.Parallel()
	// A number nobody else sleeps for.
	const seconds = "86399"
	s := startServer(t, strings.ReplaceAll("global: { evaluation_interval: 500ms }"+sleepers(""), `"1000"`, `"`+seconds+`"`))
	s.fire("up", "web")
	s.eventually(30*time.Second, "three replicas", "web", atLeast(3))
	s.deliver("resolved", "up", "web")
	s.eventually(5*time.Second, "the alert is over", "web", alertsUp(0))
	want, _ := counts(s.policy("web"))
	if n := running(t, "sleep", seconds); n != want {
		t.Fatalf("%d processes run, want %d", n, want)
	}

	s.Kill()
	realtest.Eventually(t, 10*time.Second, 100*time.Millisecond, "the replicas die with the server", func() error {
		if n := running(t, "sleep", seconds); n > 0 {
			return fmt.Errorf("%d still run", n)
		}
		return nil
	})
	s.restart()
	s.eventually(10*time.Second, "they come back", "web", replicas(want))
}

// running counts the processes with exactly that command line.
func running(t *testing.T, argv ...string) int {
	t.Helper()
	procs, err := procfs.AllProcs()
	if err != nil {
		realtest.SkipOrFail(t, "needs /proc: %v", err)
	}
	n := 0
	for _, p := range procs {
		// One that has ended meanwhile does not run.
		if got, err := p.CmdLine(); err == nil && slices.Equal(got, argv) {
			n++
		}
	}
	return n
}
