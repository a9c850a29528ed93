package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/alertscaler/alertscaler/scaler/alerts"
	"github.com/alertscaler/alertscaler/scaler/ledger"
	"github.com/alertscaler/alertscaler/scaler/policy"
)

func TestLedgerRepair(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "ledger.db")
	repair := func(code int, want ...string) string {
		t.Helper()
		got, stdout, stderr := tool("ledger", "repair", "--storage.path="+dir)
		for _, w := range want {
			if !strings.Contains(stdout+stderr, w) {
				t.Errorf("it does not say %q", w)
			}
		}
		if got != code || t.Failed() {
			t.Fatalf("exit %d, want %d\n%s%s", got, code, stdout, stderr)
		}
		return stdout
	}
	repair(exitCannot, "repair ledger", file, "no such file")

	l, err := ledger.Open(ledger.Options{Path: dir})
	if err != nil {
		t.Fatal(err)
	}
	for range 200 {
		now := time.Now()
		l.Enqueue(ledger.Record{Decision: &policy.Decision{ID: l.NewID(now), Policy: "web", Time: now, Steps: make([]policy.Step, 5)}})
	}
	if err := l.Commit(ledger.Record{Histories: map[string]policy.History{"web": {Since: time.Now()}}}); err != nil {
		t.Fatal(err)
	}
	if err := l.SaveAlerts(t.Context(), []alerts.Alert{{Fingerprint: "f", Status: alerts.Firing}}, nil); err != nil {
		t.Fatal(err)
	}
	repair(exitCannot, file, "locked by another process", "process ")
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	repair(exitOK, file+" is whole\n")

	// A page of decisions is gone.
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for at := len(b) - 4096; ; at -= 4096 {
		if b[at+8] == 2 && strings.Count(string(b[at:at+4096]), `"policy":"web"`) > 2 {
			copy(b[at:], make([]byte, 4096))
			break
		}
	}
	if err := os.WriteFile(file, b, 0o600); err != nil {
		t.Fatal(err)
	}
	repair(exitOK, file+" is repaired", "the damaged file is kept as "+file+".damaged-", "decisions: page ", "SALVAGED", "none scales down before")
	repair(exitOK, file+" is whole\n")
	kept, err := filepath.Glob(file + ".damaged-*")
	if err != nil || len(kept) != 1 {
		t.Fatalf("kept: %v, %v", kept, err)
	}
	if was, err := os.ReadFile(kept[0]); err != nil || !bytes.Equal(was, b) {
		t.Errorf("what is kept is not the damaged file: %v", err)
	}

	if err := os.Rename(kept[0], file); err != nil {
		t.Fatal(err)
	}
	var r ledger.Report
	code, stdout, stderr := tool("ledger", "repair", "--storage.path="+dir, "--output=json")
	if err := json.Unmarshal([]byte(stdout), &r); err != nil || code != exitOK {
		t.Fatalf("exit %d, %v\n%s%s", code, err, stdout, stderr)
	}
	if n := r.Salvaged["decisions"]; n < 50 || n >= 200 || r.Salvaged["histories"] != 1 || r.Salvaged["alerts"] != 1 || !r.Careful {
		t.Errorf("%+v", r)
	}

	if err := os.WriteFile(file, []byte(strings.Repeat("not a ledger\n", 3000)), 0o600); err != nil {
		t.Fatal(err)
	}
	repair(exitOK, "neither of its two roots can be read", file+".damaged-")
}
