//go:build unix

package program_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/alertscaler/alertscaler/scaler/program"
)

// startedWriter closes started with the first thing that is written to it.
type startedWriter struct {
	strings.Builder
	started chan struct{}
}

func (w *startedWriter) Write(p []byte) (int, error) {
	if w.Len() == 0 {
		close(w.started)
	}
	return w.Builder.Write(p)
}

// TestRunGrace: who is asked to end may have its say, and who does not listen is
// killed.
func TestRunGrace(t *testing.T) {
	t.Parallel()
	for script, want := range map[string]string{
		`trap 'echo ended; exit 0' TERM; echo started; while :; do sleep 0.05; done`: "started ended",
		// The wrapper is gone at once.
		`sh -c 'trap "sleep 0.2; echo ended; exit 0" TERM; echo started; while :; do sleep 0.05; done'; echo never`: "started ended",
		`trap '' TERM; echo started; while :; do sleep 0.05; done`:                                                  "started",
	} {
		ctx, cancel := context.WithCancel(t.Context())
		out := &startedWriter{started: make(chan struct{})}
		cmd := program.Command([]string{"sh", "-c", script}, "", []string{"PATH=/usr/bin:/bin"})
		cmd.Stdout = out
		go func() { <-out.started; cancel() }()
		grace := 200 * time.Millisecond
		if strings.Contains(want, "ended") {
			grace = time.Minute
		}
		err := program.RunGrace(ctx, cmd, grace)
		if got := strings.Join(strings.Fields(out.String()), " "); !errors.Is(err, context.Canceled) || got != want {
			t.Errorf("%s: %q, %v, want %q and the context's error", script, got, err, want)
		}
	}
}
