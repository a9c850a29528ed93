package ledger

import (
	"bytes"
	"path/filepath"
	"testing"
	"time"

	"go.etcd.io/bbolt"

	"github.com/alertscaler/alertscaler/scaler/policy"
)

// wantLearnt checks what is stored of a resource; "" is nothing.
func wantLearnt(t *testing.T, l *Ledger, name, resource, want string) {
	t.Helper()
	got, err := l.Learnt(name, resource)
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != want || (want == "") != (got == nil) {
		t.Errorf("%s of %s: %q, want %q", resource, name, got, want)
	}
}

func TestWhatWasLearntOutlivesARestart(t *testing.T) {
	dir := t.TempDir()
	l, err := Open(Options{Path: dir, Now: start})
	if err != nil {
		t.Fatal(err)
	}
	large := string(bytes.Repeat([]byte{0, 1, 0xff}, 20_000))
	learnt := func(name, resource, state string) Record {
		return Record{Learnt: []Learnt{{Policy: name, Resource: resource, State: []byte(state)}}}
	}
	mustCommit(t, l, Record{
		Histories: map[string]policy.History{"web": {LastSeen: start()}},
		Learnt: []Learnt{
			{Policy: "web", Resource: "cpu", State: []byte("old")}, {Policy: "web", Resource: "memory", State: []byte(large)},
		},
	})
	wantLearnt(t, l, "web", "cpu", "old")
	// Written at leisure, replaced, and of names that are alike.
	l.Enqueue(learnt("web", "cpu", "new"))
	l.Enqueue(learnt("webc", "pu", "another"))
	l.Enqueue(learnt("gone", "cpu", "something"))
	l.Enqueue(learnt("gone", "cpu", ""))
	l.Enqueue(learnt("never", "cpu", ""))
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}

	l = open(t, dir)
	wantLearnt(t, l, "web", "cpu", "new")
	wantLearnt(t, l, "web", "memory", large)
	wantLearnt(t, l, "webc", "pu", "another")
	for _, name := range []string{"gone", "never", "we"} {
		wantLearnt(t, l, name, "cpu", "")
	}
	hs, err := l.Histories()
	if err != nil || !hs["web"].LastSeen.Equal(start()) {
		t.Errorf("the history that was written with it: %+v, %v", hs["web"], err)
	}

	// The bytes are the caller's.
	got, err := l.Learnt("web", "cpu")
	if err != nil {
		t.Fatal(err)
	}
	copy(got, "xxx")
	wantLearnt(t, l, "web", "cpu", "new")
}

func TestLearntNeedsNames(t *testing.T) {
	l := open(t, t.TempDir())
	for _, k := range []Learnt{{Resource: "cpu"}, {Policy: "web"}, {Policy: "a\x00b", Resource: "cpu"}, {Policy: "web", Resource: "c\x00u"}} {
		k.State = []byte("state")
		if err := l.Commit(Record{Learnt: []Learnt{k}}); err == nil {
			t.Errorf("policy %q and resource %q accepted", k.Policy, k.Resource)
		}
	}
}

// A ledger from before anything was learnt is a whole one.
func TestLedgerWithoutLearntOpens(t *testing.T) {
	file := filled(t)
	edit(t, file, func(tx *bbolt.Tx) error { return tx.DeleteBucket([]byte(bucketLearnt)) })
	l := open(t, filepath.Dir(file))
	wantLearnt(t, l, "web", "cpu", "")
	mustCommit(t, l, Record{Learnt: []Learnt{{Policy: "web", Resource: "cpu", State: []byte("state")}}})
	wantLearnt(t, l, "web", "cpu", "state")
	if got, err := l.Decisions(Query{}); err != nil || len(got) == 0 {
		t.Errorf("%d decisions, %v; want those from before", len(got), err)
	}
}

// TestWhatWasLearntGoesWithThePolicy: once the history of a policy that is gone
// is removed, so is what was learnt.
func TestWhatWasLearntGoesWithThePolicy(t *testing.T) {
	l := openWith(t, Options{Path: t.TempDir(), Retention: time.Hour})
	for name, seen := range map[string]time.Time{"web": start(), "web2": start().Add(2 * time.Hour), "we": start().Add(2 * time.Hour)} {
		r := Record{Histories: map[string]policy.History{name: {LastSeen: seen}}}
		for _, resource := range []string{"cpu", "memory"} {
			r.Learnt = append(r.Learnt, Learnt{Policy: name, Resource: resource, State: []byte(name)})
		}
		mustCommit(t, l, r)
	}
	if err := l.pruneHistories(start().Add(2*time.Hour), true); err != nil {
		t.Fatal(err)
	}
	for _, resource := range []string{"cpu", "memory"} {
		wantLearnt(t, l, "web", resource, "")
		wantLearnt(t, l, "web2", resource, "web2")
		wantLearnt(t, l, "we", resource, "we")
	}
}
