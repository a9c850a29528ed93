//go:build unix

package program_test

import (
	"context"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/alertscaler/alertscaler/scaler/program"
)

// TestCommandIsFoundFromTheServersDirectory, whichever it is run in.
func TestCommandIsFoundFromTheServersDirectory(t *testing.T) {
	dir := t.TempDir()
	t.Chdir(t.TempDir())
	sh, err := exec.LookPath("sh")
	if err != nil {
		t.Fatal(err)
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
