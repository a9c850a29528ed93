package ledger

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/alertscaler/alertscaler/scaler/alerts"
)

// crashDir makes TestCrashChild the child that is killed.
const crashDir = "LEDGER_TEST_CRASH_DIR"

// TestCrashChild commits from several goroutines for ever and prints the ID of
// every record whose commit returned.
func TestCrashChild(t *testing.T) {
	dir := os.Getenv(crashDir)
	if dir == "" {
		t.Skip("runs as a child of TestAcknowledgedCommitsSurviveSIGKILL")
	}
	l, err := Open(Options{Path: dir})
	if err != nil {
		t.Fatal(err)
	}
	var out sync.Mutex
	for c := range 4 {
		go func() {
			for i := 0; ; i++ {
				name := fmt.Sprintf("policy-%d", c)
				l.Enqueue(Record{Histories: oneHistory(name, i)})
				d := decision(l, name, time.Now())
				a := newAction(l, name, "swarm", i, Intended, time.Now())
				if err := l.Commit(Record{Decision: d, Actions: []Action{a}}); err != nil {
					panic(err)
				}
				if err := l.SaveAlerts(context.Background(), []alerts.Alert{{Fingerprint: d.ID}}, nil); err != nil {
					panic(err)
				}
				out.Lock()
				fmt.Println("ACK", d.ID, a.ID)
				out.Unlock()
			}
		}()
	}
	select {}
}

func TestAcknowledgedCommitsSurviveSIGKILL(t *testing.T) {
	dir := t.TempDir()
	var decisions, actions []string
	for run := range 3 {
		d, a := killAfter(t, dir, 50+60*run)
		decisions, actions = append(decisions, d...), append(actions, a...)
		checkAcknowledged(t, dir, decisions, actions)
	}
}

// killAfter runs the child on dir, kills it while it commits, once that many
// records are acknowledged, and returns the IDs of all that were.
func killAfter(t *testing.T, dir string, records int) (decisions, actions []string) {
	t.Helper()
	cmd := exec.Command(os.Args[0], "-test.run=^TestCrashChild$")
	cmd.Env = append(os.Environ(), crashDir+"="+dir)
	cmd.Stderr = os.Stderr
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	killed := false
	for lines := bufio.NewScanner(stdout); lines.Scan(); {
		f := strings.Fields(lines.Text())
		if len(f) != 3 || f[0] != "ACK" {
			continue
		}
		decisions, actions = append(decisions, f[1]), append(actions, f[2])
		if len(decisions) >= records && !killed {
			killed = true
			if err := cmd.Process.Kill(); err != nil {
				t.Fatal(err)
			}
		}
	}
	_ = cmd.Wait() // killed
	if !killed {
		t.Fatalf("the child ended by itself after %d commits", len(decisions))
	}
	return decisions, actions
}

func checkAcknowledged(t *testing.T, dir string, decisions, actions []string) {
	t.Helper()
	l, err := Open(Options{Path: dir})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	ds, err := l.Decisions(Query{Limit: 1 << 20})
	if err != nil {
		t.Fatal(err)
	}
	as, err := l.OpenActions()
	if err != nil {
		t.Fatal(err)
	}
	var openIDs []string
	for _, a := range as {
		openIDs = append(openIDs, a.ID)
	}
	stored, err := l.LoadAlerts()
	if err != nil {
		t.Fatal(err)
	}
	var fingerprints []string
	for _, a := range stored {
		fingerprints = append(fingerprints, a.Fingerprint)
	}
	for what, lists := range map[string][2][]string{
		"decisions":    {decisions, ids(ds)},
		"open actions": {actions, openIDs},
		"alerts":       {decisions, fingerprints},
	} {
		want, got := lists[0], lists[1]
		slices.Sort(got)
		for _, id := range want {
			if _, ok := slices.BinarySearch(got, id); !ok {
				t.Errorf("%s: %s was acknowledged and is lost", what, id)
			}
		}
	}
	if t.Failed() {
		t.FailNow()
	}
	t.Logf("%d commits acknowledged, %d decisions found", len(decisions), len(ds))
}
