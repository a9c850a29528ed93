package ledger

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/alertscaler/alertscaler/scaler/policy"
	"github.com/alertscaler/alertscaler/scaler/realtest"
)

// TestARealDiskThatIsFull: what cannot be written is refused and said, what was
// enqueued is kept, and the ledger goes on by itself once there is room.
func TestARealDiskThatIsFull(t *testing.T) {
	dir := t.TempDir()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size=3m"); err != nil {
		realtest.SkipOrFail(t, "needs root, to mount a small tmpfs: %v", err)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(dir, 0); err != nil {
			t.Error(err)
		}
	})
	l := open(t, dir)
	first, enqueued := decision(l, "web", start()), decision(l, "web", start())
	mustCommit(t, l, Record{Decision: first})

	filler := filepath.Join(dir, "filler")
	f, err := os.Create(filler)
	if err != nil {
		t.Fatal(err)
	}
	for block := bytes.Repeat([]byte{1}, 4096); err == nil; {
		_, err = f.Write(block)
	}
	if !errors.Is(err, syscall.ENOSPC) {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	// What bbolt has kept in reserve is used up before the disk is asked.
	for range 200 {
		huge := decision(l, "web", start())
		huge.Steps = make([]policy.Step, 2000)
		if err = l.Commit(Record{Decision: huge}); err != nil {
			break
		}
	}
	if !errors.Is(err, syscall.ENOSPC) || !strings.Contains(err.Error(), l.file) {
		t.Fatalf("commit on a full disk: %v", err)
	}
	if err := l.Err(); err == nil {
		t.Error("health: nothing is wrong")
	}
	l.Enqueue(Record{Decision: enqueued})
	if _, err := l.Decisions(Query{Limit: 1}); err != nil {
		t.Errorf("a read while the disk is full: %v", err)
	}

	if err := os.Remove(filler); err != nil {
		t.Fatal(err)
	}
	realtest.Eventually(t, time.Minute, 50*time.Millisecond, "the ledger is well again", l.Err)
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	l = open(t, dir)
	ds, err := l.Decisions(Query{Limit: 1000})
	if err != nil {
		t.Fatal(err)
	}
	got := ids(ds)
	if diff := cmp.Diff([]string{enqueued.ID, first.ID}, []string{got[0], got[len(got)-1]}); diff != "" {
		t.Errorf("the newest and the oldest (-want +got):\n%s", diff)
	}
}
