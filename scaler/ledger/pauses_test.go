package ledger

import (
	"errors"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.etcd.io/bbolt"

	"github.com/alertscaler/alertscaler/scaler/policy"
)

func TestPausesOutliveARestart(t *testing.T) {
	dir := t.TempDir()
	l, err := Open(Options{Path: dir, Now: start})
	if err != nil {
		t.Fatal(err)
	}
	short := policy.Pause{Since: start(), Until: start().Add(time.Hour), By: "alice", Comment: "load test"}
	endless := policy.Pause{Since: start(), By: "bob", Comment: "migration"}
	for name, p := range map[string]policy.Pause{"web": short, "api": short, "db": endless} {
		if err := l.SavePause(name, p); err != nil {
			t.Fatal(err)
		}
	}
	if err := l.SavePause("api", endless); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"db", "unknown"} {
		if err := l.DeletePause(name); err != nil {
			t.Errorf("delete the pause of %s: %v", name, err)
		}
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	for name, err := range map[string]error{"save": l.SavePause("web", short), "delete": l.DeletePause("web")} {
		if !errors.Is(err, ErrClosed) {
			t.Errorf("%s after Close: %v, want %v", name, err, ErrClosed)
		}
	}

	got, err := open(t, dir).Pauses()
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(map[string]policy.Pause{"web": short, "api": endless}, got); diff != "" {
		t.Errorf("pauses (-want +got):\n%s", diff)
	}
}

func TestPauseNeedsAName(t *testing.T) {
	l := open(t, t.TempDir())
	for _, name := range []string{"", "a\x00b"} {
		if l.SavePause(name, policy.Pause{}) == nil || l.DeletePause(name) == nil {
			t.Errorf("policy name %q accepted", name)
		}
	}
}

// A ledger from before there were pauses is a whole one.
func TestLedgerWithoutPausesOpens(t *testing.T) {
	file := filled(t)
	edit(t, file, func(tx *bbolt.Tx) error { return tx.DeleteBucket([]byte(bucketPauses)) })
	l := open(t, filepath.Dir(file))
	if got, err := l.Pauses(); err != nil || len(got) != 0 {
		t.Errorf("pauses %v, %v; want none", got, err)
	}
	if err := l.SavePause("web", policy.Pause{By: "alice"}); err != nil {
		t.Error(err)
	}
	if got, err := l.Decisions(Query{}); err != nil || len(got) == 0 {
		t.Errorf("%d decisions, %v; want those from before", len(got), err)
	}
}

// Any other bucket was there from the first day, and its loss is damage also
// where the pauses are missing; the file is then left as it is.
func TestOtherBucketsAreNotMadeUp(t *testing.T) {
	for _, name := range firstBuckets() {
		t.Run(name, func(t *testing.T) {
			file := filled(t)
			edit(t, file, func(tx *bbolt.Tx) error {
				return errors.Join(tx.DeleteBucket([]byte(name)), tx.DeleteBucket([]byte(bucketPauses)))
			})
			l, err := Open(Options{Path: filepath.Dir(file)})
			if err == nil {
				l.Close()
			}
			if !errors.Is(err, ErrDamaged) {
				t.Errorf("%v, want %v", err, ErrDamaged)
			}
			edit(t, file, func(tx *bbolt.Tx) error {
				if bucket(tx, bucketPauses) != nil {
					t.Error("the damaged file was changed")
				}
				return nil
			})
		})
	}
}
