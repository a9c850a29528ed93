//go:build unix

package share_test

import (
	"path/filepath"
	"syscall"
	"testing"

	"github.com/alertscaler/alertscaler/scaler/target/share"
)

// TestFilesLeavesPipesAlone would hang if it opened one.
func TestFilesLeavesPipesAlone(t *testing.T) {
	pipe := filepath.Join(t.TempDir(), "pipe")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Skip(err)
	}
	was := share.Files(pipe)
	if share.Files(pipe) != was {
		t.Error("two sums of one pipe")
	}
}
