package ledger

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"go.etcd.io/bbolt"

	"github.com/alertscaler/alertscaler/scaler/policy"
)

// filled makes a ledger with something on every kind of page and returns its
// file.
func filled(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	l, err := Open(Options{Path: dir})
	if err != nil {
		t.Fatal(err)
	}
	for range 300 {
		l.Enqueue(Record{
			Decision:  decision(l, "web", start()),
			Actions:   []Action{newAction(l, "web", "swarm", 3, Intended, start())},
			Histories: map[string]policy.History{l.NewID(start()): {LastSeen: time.Now()}},
		})
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	return filepath.Join(dir, fileName)
}

func TestTheFileIsForOneProcess(t *testing.T) {
	dir := t.TempDir()
	open(t, dir)
	_, err := Open(Options{Path: dir, LockTimeout: 100 * time.Millisecond})
	if !errors.Is(err, ErrLocked) {
		t.Fatalf("second Open: %v, want %v", err, ErrLocked)
	}
	for _, part := range []string{filepath.Join(dir, fileName), "is another alertscaler running with the same --storage.path?"} {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("%q does not say %q", err, part)
		}
	}
}

func TestTwoFirstStartsAtOnce(t *testing.T) {
	dir := t.TempDir()
	type result struct {
		l   *Ledger
		err error
	}
	results := make(chan result)
	for range 4 {
		go func() {
			l, err := Open(Options{Path: dir, LockTimeout: 200 * time.Millisecond})
			results <- result{l, err}
		}()
	}
	opened := 0
	for range 4 {
		switch r := <-results; {
		case r.err == nil:
			opened++
			defer r.l.Close()
		case !errors.Is(r.err, ErrLocked):
			t.Error(r.err)
		}
	}
	if opened != 1 {
		t.Errorf("%d of them opened the ledger, want 1", opened)
	}
}

func TestTheFileIsPrivate(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "deep", "data")
	l := open(t, dir)
	for path, want := range map[string]os.FileMode{dir: 0o700, l.file: 0o600} {
		info, err := os.Stat(path)
		if err != nil {
			t.Fatal(err)
		}
		if got := info.Mode().Perm(); got != want {
			t.Errorf("%s has mode %o, want %o", path, got, want)
		}
	}
}

func TestDamageIsSaidAndLeftAsItIs(t *testing.T) {
	truncate := func(n int64) func(*testing.T, string) {
		return func(t *testing.T, file string) {
			if err := os.Truncate(file, n); err != nil {
				t.Fatal(err)
			}
		}
	}
	overwrite := func(from, length int) func(*testing.T, string) {
		return func(t *testing.T, file string) {
			f, err := os.OpenFile(file, os.O_WRONLY, 0)
			if err != nil {
				t.Fatal(err)
			}
			defer f.Close()
			if _, err := f.WriteAt([]byte(strings.Repeat("\xee", length)), int64(from)); err != nil {
				t.Fatal(err)
			}
		}
	}
	tests := map[string]func(*testing.T, string){
		"emptied":                  truncate(0),
		"cut within the meta page": truncate(100),
		"cut after the meta pages": truncate(2 * 4096),
		"cut in the middle":        truncate(40 * 4096),
		"meta pages overwritten":   overwrite(0, 2*4096),
		"all but meta overwritten": overwrite(2*4096, 1<<20),
		"not a ledger at all": func(t *testing.T, file string) {
			if err := os.WriteFile(file, []byte(strings.Repeat("policies:\n", 2000)), 0o600); err != nil {
				t.Fatal(err)
			}
		},
		"another program's bbolt file": func(t *testing.T, file string) {
			if err := os.Remove(file); err != nil {
				t.Fatal(err)
			}
			db, err := bbolt.Open(file, 0o600, nil)
			if err != nil {
				t.Fatal(err)
			}
			if err := db.Close(); err != nil {
				t.Fatal(err)
			}
		},
		"a bucket is missing": func(t *testing.T, file string) {
			edit(t, file, func(tx *bbolt.Tx) error { return tx.DeleteBucket([]byte(bucketHistories)) })
		},
		"no schema version": func(t *testing.T, file string) {
			edit(t, file, func(tx *bbolt.Tx) error { return bucket(tx, bucketMeta).Delete([]byte(keySchema)) })
		},
	}
	for name, damage := range tests {
		t.Run(name, func(t *testing.T) {
			file := filled(t)
			damage(t, file)
			before, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			l, err := Open(Options{Path: filepath.Dir(file), LockTimeout: time.Second})
			if err == nil {
				l.Close()
				t.Fatal("opened")
			}
			if !errors.Is(err, ErrDamaged) {
				t.Errorf("%v, want %v", err, ErrDamaged)
			}
			if !strings.Contains(err.Error(), file) {
				t.Errorf("%q does not name the file", err)
			}
			after, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(after, before) {
				t.Error("the file was changed")
			}
		})
	}
}

// edit changes a closed ledger behind its back.
func edit(t *testing.T, file string, change func(*bbolt.Tx) error) {
	t.Helper()
	db, err := bbolt.Open(file, 0o600, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := db.Update(change); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
}

func TestDamageFoundWhileReading(t *testing.T) {
	file := filled(t)
	edit(t, file, func(tx *bbolt.Tx) error {
		b := bucket(tx, bucketDecisions)
		key, _ := b.Cursor().First()
		return b.Put(key, []byte("{"))
	})
	l := open(t, filepath.Dir(file))
	if ds, err := l.Decisions(Query{Limit: 1000}); err != nil || len(ds) != 299 {
		t.Errorf("%d decisions, %v; want the 299 sound ones", len(ds), err)
	}
	if got := l.Report().SetAside[bucketDecisions]; got != 1 {
		t.Errorf("%d decisions were set aside, want 1", got)
	}
}

func TestDamageOfOneCountDoesNotSpread(t *testing.T) {
	file := filled(t)
	edit(t, file, func(tx *bbolt.Tx) error {
		return bucket(tx, bucketRequested).Put(targetKey("web", "swarm"), []byte("{"))
	})
	l := open(t, filepath.Dir(file))
	if got, known, err := l.LastRequested("web", "swarm"); got != 3 || !known || err != nil {
		t.Errorf("%d, %t, %v; want what the last action asked for, 3", got, known, err)
	}
	mustCommit(t, l, Record{Actions: []Action{newAction(l, "web", "swarm", 8, Accepted, start())}})
	if got, known, err := l.LastRequested("web", "swarm"); got != 8 || !known || err != nil {
		t.Errorf("%d, %t, %v; want the new count, 8", got, known, err)
	}
}

func TestANewerSchemaIsLeftAlone(t *testing.T) {
	file := filled(t)
	edit(t, file, func(tx *bbolt.Tx) error {
		return bucket(tx, bucketMeta).Put([]byte(keySchema), []byte(strconv.Itoa(schemaVersion+1)))
	})
	_, err := Open(Options{Path: filepath.Dir(file)})
	if err == nil || !strings.Contains(err.Error(), "newer alertscaler") {
		t.Errorf("%v", err)
	}
}

func TestAFirstStartLeavesOneFile(t *testing.T) {
	dir := t.TempDir()
	l := open(t, dir)
	mustCommit(t, l, Record{Decision: decision(l, "web", start())})
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	if len(entries) != 1 || entries[0].Name() != fileName {
		t.Errorf("left in the directory: %v", entries)
	}
}

func TestPlacesThatCannotHoldALedger(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	folder := t.TempDir()
	if err := os.Mkdir(filepath.Join(folder, fileName), 0o700); err != nil {
		t.Fatal(err)
	}
	for name, dir := range map[string]string{
		"no path":               "",
		"a file":                file,
		"below a file":          filepath.Join(file, "data"),
		"a folder of that name": folder,
	} {
		if _, err := Open(Options{Path: dir}); err == nil {
			t.Errorf("%s: opened", name)
		}
	}
}

// TestABrokenLedgerIsNotWaitedFor: bbolt may have stopped with its locks held,
// so that closing its file may last for ever, also where all that worked on it
// has ended already.
func TestABrokenLedgerIsNotWaitedFor(t *testing.T) {
	for i := range 20 {
		l, err := Open(Options{Path: t.TempDir(), Now: start})
		if err != nil {
			t.Fatal(err)
		}
		size := int(l.length.Load())
		if err := os.WriteFile(l.file, bytes.Repeat([]byte{0xee}, size), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := l.Commit(Record{Decision: decision(l, "web", start())}); !errors.Is(err, ErrBroken) {
			t.Fatalf("write into what is no ledger any more: %v", err)
		}
		l.stop()
		for _, ended := range []<-chan struct{}{l.stopped, l.pruner} {
			select {
			case <-ended:
			case <-time.After(2 * time.Second): // it waits for such a lock
			}
		}
		closed := make(chan error, 1)
		go func() { closed <- l.awaitClosed() }()
		select {
		case err := <-closed:
			if !errors.Is(err, ErrBroken) {
				t.Errorf("close: %v", err)
			}
		case <-time.After(20 * time.Second):
			t.Fatalf("close %d has not ended after 20s", i)
		}
	}
}

// TestALostPageIsNoticed: nobody reads histories or writes anything, and yet it
// is found out that they are gone.
func TestALostPageIsNoticed(t *testing.T) {
	file := filled(t)
	l, err := Open(Options{Path: filepath.Dir(file), Now: start})
	if err != nil {
		t.Fatal(err)
	}
	var page int64
	if err := l.view(func(tx *bbolt.Tx) error {
		page = int64(bucket(tx, bucketHistories).Root()) * int64(tx.DB().Info().PageSize)
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	if page == 0 {
		t.Fatal("the histories have no page of their own")
	}
	f, err := os.OpenFile(file, os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := f.WriteAt(make([]byte, 4096), page); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	if err := l.Watch(ctx); !errors.Is(err, ErrBroken) {
		t.Errorf("watching said %v", err)
	}
	if err := l.Close(); !errors.Is(err, ErrBroken) {
		t.Errorf("closing said %v", err)
	}
}
