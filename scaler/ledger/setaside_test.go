package ledger

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/go-kit/log"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"go.etcd.io/bbolt"

	"github.com/alertscaler/alertscaler/scaler/alerts"
	"github.com/alertscaler/alertscaler/scaler/policy"
)

// TestADamagedRecordIsSetAside: the start goes on without it, keeps it beside
// the ledger and says so, and what it could have kept from happening does not
// happen: nothing is scaled down before a full window.
func TestADamagedRecordIsSetAside(t *testing.T) {
	began := start().Add(-time.Hour)
	first := func(name string) func(*bbolt.Tx) []byte {
		return func(tx *bbolt.Tx) []byte { key, _ := bucket(tx, name).Cursor().First(); return bytes.Clone(key) }
	}
	named := func(key string) func(*bbolt.Tx) []byte { return func(*bbolt.Tx) []byte { return []byte(key) } }
	tests := map[string]struct {
		bucket  string
		key     func(*bbolt.Tx) []byte
		careful bool
		says    string
	}{
		"an alert":               {bucketAlerts, named("f1"), true, "record=f1"},
		"a history":              {bucketHistories, named("web"), true, "record=web"},
		"a pause":                {bucketPauses, named("web"), true, "stays paused until somebody resumes it"},
		"a count":                {bucketRequested, named("web\x00swarm"), true, "record=web/swarm"},
		"an open action":         {bucketActions, func(tx *bbolt.Tx) []byte { return first(bucketActionsOpen)(tx) }, true, "bucket=actions"},
		"which action is open":   {bucketActionsOpen, first(bucketActionsOpen), true, "bucket=actions_open"},
		"an action that is over": {bucketActions, first(bucketActions), false, "bucket=actions"},
		"a decision":             {bucketDecisions, first(bucketDecisions), false, "bucket=decisions"},
		"what was learnt":        {bucketLearnt, named("web\x00cpu"), false, "record=web/cpu"},
	}
	damages := map[string]func(value []byte) []byte{
		"one bit":         func(v []byte) []byte { v[len(v)/2] ^= 4; return v },
		"cut off":         func(v []byte) []byte { return v[:len(v)/2] },
		"not even JSON":   func([]byte) []byte { return []byte("{") },
		"bare, as before": func(v []byte) []byte { return v[:max(0, len(v)-sealSize)] },
	}
	for name, tc := range tests {
		for how, damage := range damages {
			t.Run(name+", "+how, func(t *testing.T) {
				dir := t.TempDir()
				l, err := Open(Options{Path: dir, Now: start})
				if err != nil {
					t.Fatal(err)
				}
				mustCommit(t, l, Record{
					Decision: decision(l, "web", start()),
					Actions: []Action{
						newAction(l, "web", "swarm", 3, Converged, start()), newAction(l, "web", "swarm", 4, Accepted, start()),
					},
					Histories: map[string]policy.History{"web": {Since: began, LastSeen: start()}, "api": {Since: began, LastSeen: start()}},
					Learnt:    []Learnt{{Policy: "web", Resource: "cpu", State: []byte("learnt")}},
				})
				if err := l.SaveAlerts(t.Context(), []alerts.Alert{{Fingerprint: "f1"}, {Fingerprint: "f2"}}, nil); err != nil {
					t.Fatal(err)
				}
				if err := l.SavePause("web", policy.Pause{By: "alice", Until: start().Add(time.Hour)}); err != nil {
					t.Fatal(err)
				}
				if err := l.Close(); err != nil {
					t.Fatal(err)
				}
				var key, damaged []byte
				edit(t, l.file, func(tx *bbolt.Tx) error {
					key = tc.key(tx)
					damaged = damage(bytes.Clone(bucket(tx, tc.bucket).Get(key)))
					return bucket(tx, tc.bucket).Put(key, damaged)
				})

				var said bytes.Buffer
				l = openWith(t, Options{Path: dir, Logger: log.NewLogfmtLogger(log.NewSyncWriter(&said))})
				if !strings.Contains(said.String(), tc.says) || !strings.Contains(said.String(), "kept_in="+l.file+sideSuffix) {
					t.Errorf("the log does not say %q and where it is kept:\n%s", tc.says, said.String())
				}
				text, err := os.ReadFile(l.file + sideSuffix)
				if err != nil {
					t.Fatal(err)
				}
				var aside asideRecord
				if err := json.Unmarshal(text, &aside); err != nil || aside.Bucket != tc.bucket || !bytes.Equal(aside.Key, key) || !bytes.Equal(aside.Value, damaged) {
					t.Errorf("kept aside: %s, %v", text, err)
				}
				if got := testutil.ToFloat64(l.metrics.setAside.WithLabelValues(tc.bucket)); got != 1 {
					t.Errorf("records_set_aside_total %v, want 1", got)
				}
				if l.Cautious() != tc.careful {
					t.Errorf("policies are careful: %t, want %t", l.Cautious(), tc.careful)
				}
				hs, err := l.Histories()
				if err != nil {
					t.Fatal(err)
				}
				for name, h := range hs {
					if careful := h.Since.IsZero() && !h.CooldownUntil(&policy.Policy{ScaleDown: policy.Behavior{Cooldown: time.Minute}}, policy.Down).IsZero(); careful != tc.careful {
						t.Errorf("%s is careful: %t, want %t", name, careful, tc.careful)
					}
				}
				ps, err := l.Pauses()
				web := ps["web"]
				// One that cannot be read ends only when somebody says so.
				if err != nil || !web.Active(start()) || web.Active(start().AddDate(0, 0, 1)) != (tc.bucket == bucketPauses) {
					t.Errorf("pauses: %v, %v", ps, err)
				}
				open, err := l.OpenActions()
				if want := 1; err != nil || (len(open) != want) != (name == "an open action") {
					t.Errorf("open actions: %v, %v", open, err)
				}
				if n, known, err := l.LastRequested("web", "swarm"); n != 4 || !known || err != nil {
					t.Errorf("last requested: %d, %t, %v", n, known, err)
				}
				if stored, err := l.LoadAlerts(); err != nil || len(stored) != 2 && tc.bucket != bucketAlerts {
					t.Errorf("alerts: %v, %v", stored, err)
				}
				if err := l.pruneRecords(start().AddDate(1, 0, 0), true); err != nil {
					t.Errorf("retention: %v", err)
				}
			})
		}
	}
}

// TestRetentionGoesOnBehindADamagedRecord that was found only then.
func TestRetentionGoesOnBehindADamagedRecord(t *testing.T) {
	l := openWith(t, Options{Path: t.TempDir(), Retention: time.Hour})
	for range 20 {
		mustCommit(t, l, Record{
			Decision: decision(l, "web", start()), Actions: []Action{newAction(l, "web", "swarm", 1, Converged, start())},
			Histories: map[string]policy.History{l.NewID(start()): {LastSeen: start()}},
		})
	}
	err := l.update(func(tx *bbolt.Tx) error {
		for _, name := range []string{bucketDecisions, bucketActions, bucketHistories} {
			key, _ := bucket(tx, name).Cursor().First()
			if err := bucket(tx, name).Put(key, []byte("{")); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	later := start().Add(2 * time.Hour)
	for range 3 {
		if err := errors.Join(l.pruneRecords(later, true), l.pruneHistories(later, true)); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{bucketDecisions, bucketDecisionsByPolicy, bucketActions, bucketActionsByPolicy, bucketHistories} {
		if got := stored(t, l, name); got != 0 {
			t.Errorf("%d are left in %s", got, name)
		}
	}
	if got := l.Report().SetAside; got[bucketDecisions] != 1 || got[bucketActions] != 1 || got[bucketHistories] != 1 {
		t.Errorf("set aside: %v", got)
	}
}

// TestEveryRefusalSaysWhatToDo: which file, what is wrong, and what would be
// right.
func TestEveryRefusalSaysWhatToDo(t *testing.T) {
	newer := filled(t)
	edit(t, newer, func(tx *bbolt.Tx) error { return bucket(tx, bucketMeta).Put([]byte(keySchema), []byte("77")) })
	text := filepath.Join(t.TempDir(), fileName)
	if err := os.WriteFile(text, bytes.Repeat([]byte("policies:\n"), 2000), 0o600); err != nil {
		t.Fatal(err)
	}
	directory := t.TempDir()
	if err := os.Mkdir(filepath.Join(directory, fileName), 0o700); err != nil {
		t.Fatal(err)
	}
	held := open(t, t.TempDir())
	for name, tc := range map[string]struct {
		dir string
		say []string
	}{
		"held":        {filepath.Dir(held.file), []string{"locked by another process", fmt.Sprintf("process %d", os.Getpid()), "another --storage.path"}},
		"newer":       {filepath.Dir(newer), []string{"newer alertscaler", "version 77", "run that version"}},
		"not one":     {filepath.Dir(text), []string{"neither of its two roots", "--storage.repair", "scalertool ledger repair --storage.path=" + filepath.Dir(text)}},
		"a directory": {directory, []string{"not a regular file: it is a directory", "move it away"}},
		"in a file":   {text, []string{"--storage.path must be a directory"}},
	} {
		_, err := Open(Options{Path: tc.dir, LockTimeout: 100 * time.Millisecond})
		if err == nil {
			t.Errorf("%s: opened", name)
			continue
		}
		for _, want := range append(tc.say, filepath.Join(tc.dir, fileName)) {
			if !strings.Contains(err.Error(), want) {
				t.Errorf("%s: %q does not say %q", name, err, want)
			}
		}
	}
}
