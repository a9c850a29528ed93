package ansible

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/alertscaler/alertscaler/scaler/realtest"
	"github.com/alertscaler/alertscaler/scaler/target"
)

// countedInventory has the site's inventory listed by a script that leaves a
// line for each run, and returns how many there were.
func countedInventory(t *testing.T, s site, script string) (runs func() int) {
	t.Helper()
	s.write(t, "bin/ansible-inventory", strings.Replace(script, "\n", "\necho >>"+s.path("runs")+"\n", 1), 0o755)
	return func() int {
		b, err := os.ReadFile(s.path("runs"))
		if err != nil && !errors.Is(err, os.ErrNotExist) {
			t.Fatal(err)
		}
		return strings.Count(string(b), "\n")
	}
}

// opened are n targets as one server has them.
func opened(t *testing.T, s site, n int, changes string) []*playbook {
	t.Helper()
	var shared Inventories
	var out []*playbook
	for range n {
		cfg := s.config(t, changes)
		cfg.inventories = &shared
		out = append(out, open(t, cfg))
	}
	return out
}

// TestInventoryOfFilesIsListedOnce until what is in them changes, which counts
// at once.
func TestInventoryOfFilesIsListedOnce(t *testing.T) {
	t.Parallel()
	for name, inventory := range map[string]string{"file": "hosts.ini", "directory": "hosts"} {
		s := newSite(t, setCount)
		file := inventory
		if name == "directory" {
			if err := os.MkdirAll(s.path("hosts/group_vars"), 0o755); err != nil {
				t.Fatal(err)
			}
			s.write(t, "hosts/group_vars/web.yml", "port: 80\n", 0o644)
			file = "hosts/web"
		}
		s.write(t, file, "[web]\na\n", 0o644)
		runs := countedInventory(t, s, "#!/bin/sh\nprintf '{\"web\": {\"hosts\": ['\nsed '/^\\[/d; s/.*/\"&\"/' "+s.path(file)+" | paste -sd, -\necho ']}}'\n")
		tgts := opened(t, s, 9, standIns+"\ninventory: "+inventory)
		read := func(want int) {
			t.Helper()
			var wg sync.WaitGroup
			for _, tgt := range tgts {
				wg.Go(func() {
					for range 3 {
						tgt.current.forget() // a while later
						if st, err := tgt.Current(t.Context()); err != nil || st.Requested != want {
							t.Errorf("%s: %+v, %v, want %d", name, st, err, want)
						}
					}
				})
			}
			wg.Wait()
		}
		read(1)
		if n := runs(); n != 1 {
			t.Errorf("%s: 27 readings of 9 targets ran ansible-inventory %d times, want once", name, n)
		}
		// Of the same length, within the same moment.
		s.write(t, file, "[web]\nb\n", 0o644)
		read(1)
		s.write(t, file, "[web]\nb\nc\n", 0o644)
		read(2)
		if n := runs(); n != 3 {
			t.Errorf("%s: two changes ran ansible-inventory %d times more, want twice", name, n-1)
		}
	}
}

// TestInventoryThatAsksOthers is read at leisure, but not where a change depends
// on it.
func TestInventoryThatAsksOthers(t *testing.T) {
	t.Parallel()
	s := newSite(t, setCount)
	runs := countedInventory(t, s, inventoryStandIn)
	tgts := opened(t, s, 9, standIns)
	l := tgts[0].listing
	read := func(tgt *playbook) int {
		t.Helper()
		tgt.current.forget() // a while later
		return current(t, tgt).Requested
	}
	var wg sync.WaitGroup
	for _, tgt := range tgts {
		wg.Go(func() { read(tgt) })
	}
	wg.Wait()
	if n := runs(); n != 1 {
		t.Errorf("9 targets at once ran ansible-inventory %d times, want once", n)
	}
	older := func(by time.Duration) {
		l.mu.Lock()
		defer l.mu.Unlock()
		l.known.began = time.Now().Add(-by)
	}
	s.set(t, 3)
	older(askAfter + time.Second)
	if n := read(tgts[0]); n != 1 {
		t.Errorf("%d hosts, want the reader not to wait for the next listing", n)
	}
	realtest.Eventually(t, time.Minute, 20*time.Millisecond, "the listing is made anew", func() error {
		if n := read(tgts[1]); n != 3 {
			return fmt.Errorf("%d hosts", n)
		}
		return nil
	})
	s.set(t, 4)
	older(oldest + time.Second)
	if n := read(tgts[2]); n != 4 {
		t.Errorf("%d hosts from a listing that is too old", n)
	}
	// A change counts from what there is.
	s.set(t, 2)
	older(fresh + time.Second)
	tgts[3].acceptAfter = time.Minute
	wantError(t, tgts[3].Scale(t.Context(), 2), target.KindNoOp, "there are 2 replicas already")
}

// TestListingOutlivesItsReader: one that takes longer than a call may is there
// for the next.
func TestListingOutlivesItsReader(t *testing.T) {
	t.Parallel()
	s := newSite(t, setCount)
	s.write(t, "bin/ansible-inventory", "#!/bin/sh\necho >>"+s.path("runs")+"\nwhile ! [ -e "+s.path("go")+" ]; do sleep 0.05; done\necho '{\"web\": {\"hosts\": [\"a\", \"b\"]}}'\n", 0o755)
	p := opened(t, s, 1, standIns)[0]
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	_, err := p.Current(ctx)
	wantError(t, err, target.KindTemporary, "is still listing the inventory", "deadline exceeded")
	s.write(t, "go", "", 0o644)
	if st := current(t, p); st.Requested != 2 {
		t.Errorf("%+v", st)
	}
	if b, err := os.ReadFile(s.path("runs")); err != nil || strings.Count(string(b), "\n") != 1 {
		t.Errorf("ansible-inventory ran %q, %v, want once", b, err)
	}
}

// TestPlaybookThatSetsAnotherNumber is told as that.
func TestPlaybookThatSetsAnotherNumber(t *testing.T) {
	t.Parallel()
	s := newSite(t, "")
	s.write(t, "bin/ansible-playbook", strings.Replace(playbookStandIn, "echo \"$desired\"", "echo $((desired - 1))", 1), 0o755)
	p := open(t, s.config(t, standIns))
	p.acceptAfter = time.Minute
	if err := p.Scale(t.Context(), 5); err != nil {
		t.Fatal(err)
	}
	p.requests.mu.Lock()
	p.requests.last.ended = time.Now().Add(-visibleWithin - time.Second)
	p.requests.mu.Unlock()
	st := current(t, p)
	if st.Requested != 4 {
		t.Errorf("%+v, want what there is", st)
	}
	wantError(t, st.Failed, target.KindTemporary, "there are 4 replicas now, neither the 1 from before nor the 5 asked for: it sets another number than alertscaler_desired_replicas")
}
