//go:build unix

package program_test

import (
	"context"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/alertscaler/alertscaler/scaler/program"
)

func TestAsk(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		script, stdout, said string
		over, fails          bool
	}{
		{script: "echo 3", stdout: "3\n", said: "3"},
		{script: "echo 12345678901", stdout: "1234567890", said: "1234567890", over: true},
		{script: "echo 3; echo why >&2; exit 7", stdout: "3\n", said: "why", fails: true},
		{script: "exit 7", said: "it printed nothing", fails: true},
		// Something that it leaves behind holds the pipe.
		{script: "sleep 5 & echo 3", stdout: "3\n", said: "3"},
	} {
		a, err := program.Ask(t.Context(), exec.Command("sh", "-c", test.script), 10)
		if string(a.Stdout) != test.stdout || a.Over != test.over || a.Said() != test.said || (err != nil) != test.fails {
			t.Errorf("%s: %q, over %v, said %q, %v", test.script, a.Stdout, a.Over, a.Said(), err)
		}
		if program.NeverStarts(err) {
			t.Errorf("%s: %v is taken for one of a program that is not there", test.script, err)
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	if _, err := program.Ask(ctx, exec.Command("sleep", "1000"), 10); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("%v, want the deadline", err)
	}
	plain := filepath.Join(t.TempDir(), "plain")
	if err := os.WriteFile(plain, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"no-such-program", "/no/such/program", plain} {
		if a, err := program.Ask(t.Context(), exec.Command(name), 10); !program.NeverStarts(err) || a.Said() != "it printed nothing" {
			t.Errorf("%s: %v, said %q", name, err, a.Said())
		}
	}
	if got := program.Excerpt([]byte(" " + strings.Repeat("x", 300))); got != strings.Repeat("x", 200)+" ..." {
		t.Errorf("an excerpt of %d bytes: %s", len(got), got)
	}
}

// TestChild ends what its program has started, whether that ends by itself or is
// told to.
func TestChild(t *testing.T) {
	t.Parallel()
	for _, script := range []string{"sleep 1000 & echo up", "sleep 1000 & echo up; wait"} {
		r, w, err := os.Pipe()
		if err != nil {
			t.Fatal(err)
		}
		cmd := exec.Command("sh", "-c", script)
		cmd.Stdout = w
		c, err := program.StartChild(cmd)
		if err != nil {
			t.Fatal(err)
		}
		_ = w.Close()
		line := make([]byte, 3)
		if _, err := io.ReadFull(r, line); err != nil {
			t.Fatal(err)
		}
		if strings.HasSuffix(script, "wait") {
			c.Drain(time.Minute)
		}
		<-c.Exited
		if state := c.Reap(); state == nil || state.Pid() != c.Pid() {
			t.Errorf("%s: ended as %v", script, state)
		}
		// Whatever were left of the group would hold the pipe.
		_ = r.SetReadDeadline(time.Now().Add(10 * time.Second))
		if n, err := r.Read(line); !errors.Is(err, io.EOF) {
			t.Errorf("%s: %d bytes, %v, want the end of all output", script, n, err)
		}
		_ = r.Close()
	}
}
