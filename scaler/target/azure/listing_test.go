package azure

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/alertscaler/alertscaler/scaler/target/azure/azuretest"
)

// fleet opens so many sets, spread over groups.
func fleet(t *testing.T, f *fixture, n, groups int) []*scaleSet {
	t.Helper()
	out := make([]*scaleSet, 0, n)
	for i := range n {
		group := fmt.Sprintf("group-%d", i%groups)
		name := fmt.Sprintf("web-%d", i)
		f.Put(azuretest.Set{Group: group, Name: name, Capacity: 1 + i%3})
		cfg := f.config(name)
		cfg.ResourceGroup = group
		out = append(out, open(t, cfg))
	}
	return out
}

func readAll(t *testing.T, all []*scaleSet) {
	t.Helper()
	var wg sync.WaitGroup
	for i, s := range all {
		wg.Go(func() {
			st, err := s.Current(t.Context())
			if want := 1 + i%3; err != nil || st.Requested != want || st.Ready != want {
				t.Errorf("%s: %+v, %v, want %d", s.what, st, err, want)
			}
		})
	}
	wg.Wait()
}

// TestBatching: a round over 500 sets that rest costs a handful of calls.
func TestBatching(t *testing.T) {
	t.Parallel()
	for _, groups := range []int{1, 50} {
		t.Run(fmt.Sprintf("%d groups", groups), func(t *testing.T) {
			virtual(t, func(t *testing.T) {
				f := start(t, func(s *azuretest.Server) { s.PageSize = 200 })
				f.clients.settledFor = time.Hour
				all := fleet(t, f, 500, groups)
				readAll(t, all)
				first := f.Requests()
				// Nothing is known of the instances yet, and nothing is invented.
				if n := instanceLists(first); n != 500 {
					t.Errorf("%d lists of instances at first, want one a set", n)
				}
				time.Sleep(listedFor)
				readAll(t, all)
				if round := f.Requests(); len(round) > 3 {
					t.Errorf("%d requests in a round, want 3 pages: %.300v", len(round), round)
				}
				readAll(t, all)
				if round := f.Requests(); len(round) > 3 {
					t.Errorf("%d requests in a round at once after it: %.300v", len(round), round)
				}
			})
		})
	}
}

// TestRecount: sets that rest are looked at again, no more of them at once than
// the account has to spare.
func TestRecount(t *testing.T) {
	virtual(t, testRecount)
}

func testRecount(t *testing.T) {
	f := start(t, nil)
	f.clients.settledFor = time.Millisecond
	all := fleet(t, f, 60, 1)
	readAll(t, all)
	f.Requests()
	time.Sleep(10 * time.Millisecond)
	readAll(t, all)
	if n := instanceLists(f.Requests()); n != recountBurst {
		t.Errorf("%d of 60 were counted again, want %d", n, recountBurst)
	}
}

// TestOwnWrite: a read after a write that was accepted does not come from a
// list of before it.
func TestOwnWrite(t *testing.T) {
	virtual(t, testOwnWrite)
}

func testOwnWrite(t *testing.T) {
	f := start(t, nil, web())
	s := open(t, f.config("web"))
	settle(t, s, 1, 1)
	f.Requests()
	scale(t, s, 2)
	if st := current(t, s); st.Requested != 2 {
		t.Errorf("%+v, want 2 requested", st)
	}
	if n := count(f.Requests(), "GET /subscriptions/"+azuretest.Subscription+"/resourceGroups/shop/providers/Microsoft.Compute/virtualMachineScaleSets"); n < 2 {
		t.Errorf("%d reads, want the set and a new list", n)
	}
}

// TestScopes: lists that are not for us are done without.
func TestScopes(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name   string
		change func(*azuretest.Server)
		groups int
		calls  int // in a round at rest
	}{
		{"the subscription is forbidden", func(s *azuretest.Server) { s.ForbidSubscription = true }, 5, 5},
		{"all lists are forbidden", func(s *azuretest.Server) { s.ForbidSubscription, s.ForbidGroups = true, true }, 5, 10},
		{"a few groups", nil, 2, 2},
		{"several groups", nil, 5, 1},
	} {
		t.Run(test.name, func(t *testing.T) {
			virtual(t, func(t *testing.T) {
				f := start(t, test.change)
				all := fleet(t, f, 10, test.groups)
				readAll(t, all)
				time.Sleep(listedFor)
				f.Requests()
				readAll(t, all)
				if round := f.Requests(); len(round) != test.calls {
					t.Errorf("%d requests in a round, want %d: %v", len(round), test.calls, round)
				}
			})
		})
	}
}

// TestClients: one account for all targets of a subscription and identity.
func TestClients(t *testing.T) {
	t.Parallel()
	f := start(t, nil, web())
	a, b := build(t, f.config("web")), build(t, f.config("other"))
	if a.account != b.account {
		t.Error("two targets have two accounts")
	}
	other := f.config("web")
	other.ClientSecret = "another"
	c := build(t, other)
	if c.account == a.account {
		t.Error("two identities share an account")
	}
	for _, s := range []*scaleSet{a, b, c} {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}
	if f.clients.pool.Len() != 0 {
		t.Errorf("%d accounts are open after the last target closed", f.clients.pool.Len())
	}
}
