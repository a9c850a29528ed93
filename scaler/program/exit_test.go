//go:build unix

package program_test

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/alertscaler/alertscaler/scaler/program"
	"github.com/alertscaler/alertscaler/scaler/target"
)

func TestFailure(t *testing.T) {
	t.Parallel()
	meaning := func(code int) program.Exit {
		if code == 3 {
			return program.Exit{Kind: target.KindQuota, Meaning: "there is no room"}
		}
		return program.Exit{Kind: target.KindConflict}
	}
	run := func(argv ...string) error {
		return program.Run(t.Context(), program.Command(argv, "", nil))
	}
	for _, test := range []struct {
		name string
		err  error
		kind target.Kind
		want string
	}{
		{"well", run("true"), "", "<nil>"},
		{"with a code that means something", run("sh", "-c", "exit 3"), target.KindQuota, "scale: tool: exit status 3 (there is no room): it said so"},
		{"with another", run("sh", "-c", "exit 4"), target.KindConflict, "scale: tool: exit status 4: it said so"},
		{"not started", run("no-such-program"), target.KindPermanent, `scale: start tool: exec: "no-such-program": executable file not found in $PATH`},
		{"of something else", errors.New("what"), target.KindTemporary, "scale: run tool: what"},
	} {
		err := program.Failure("scale", "tool", test.err, meaning, "it said so")
		if got := fmt.Sprint(err); got != test.want || target.KindOf(err) != test.kind {
			t.Errorf("%s: %s of kind %q, want %s of kind %q", test.name, got, target.KindOf(err), test.want, test.kind)
		}
	}
}

// TestCommandIsFoundFromTheServersDirectory, whichever it is run in.
func TestCommandIsFoundFromTheServersDirectory(t *testing.T) {
	dir := t.TempDir()
	t.Chdir(t.TempDir())
	sh, err := exec.LookPath("sh")
	if err != nil {
		t.Skip(err)
	}
	here, err := filepath.Abs(".")
	if err != nil {
		t.Fatal(err)
	}
	relative, err := filepath.Rel(here, sh)
	if err != nil {
		t.Fatal(err)
	}
	answer, err := program.Ask(context.Background(), program.Command([]string{relative, "-c", `pwd; echo "$A"`}, dir, []string{"A=b"}), 1000)
	if got := strings.Fields(string(answer.Stdout)); err != nil || len(got) != 2 || filepath.Base(got[0]) != filepath.Base(dir) || got[1] != "b" {
		t.Errorf("it printed %q, %v", answer.Stdout, err)
	}
}
