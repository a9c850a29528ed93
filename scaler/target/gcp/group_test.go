package gcp

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/alertscaler/alertscaler/scaler/target"
	"github.com/alertscaler/alertscaler/scaler/target/gcp/gcptest"
)

func contextFor(t testing.TB, d time.Duration) (context.Context, context.CancelFunc) {
	return context.WithTimeout(t.Context(), d)
}

// TestShownAtOnce: what was accepted is what is requested, however long Google
// takes to show it, and somebody else's number is seen once it is done.
func TestShownAtOnce(t *testing.T) {
	virtual(t, testShownAtOnce)
}

func testShownAtOnce(t *testing.T) {
	g := serve(t, &gcptest.Server{OperationTime: 300 * time.Millisecond, Lag: 500 * time.Millisecond})
	tgt := impatient(g.scaling(t, web()))
	if err := tgt.Scale(t.Context(), 5); err != nil {
		t.Fatal(err)
	}
	for end := time.Now().Add(1200 * time.Millisecond); time.Now().Before(end); time.Sleep(30 * time.Millisecond) {
		if st := current(t, tgt); st.Requested != 5 || st.Failed != nil {
			t.Fatalf("%+v, want 5 requested all the time", st)
		}
	}
	eventually(t, tgt, "5 are ready", func(st target.State) bool { return st.Requested == 5 && st.Ready == 5 })
	if err := tgt.Scale(t.Context(), 4); err != nil {
		t.Fatal(err)
	}
	g.Resize(zone, "web", 7) // before ours is carried out
	eventually(t, tgt, "ours came last", func(st target.State) bool { return st.Requested == 4 && st.Ready == 4 })
	g.Resize(zone, "web", 3)
	eventually(t, tgt, "somebody else's is seen", func(st target.State) bool { return st.Requested == 3 && st.Ready == 3 })
}

// TestFailures: what was accepted and came to nothing is in Failed, with its
// kind, until there is another request.
func TestFailures(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		code string
		want target.Kind
	}{
		{"ZONE_RESOURCE_POOL_EXHAUSTED", target.KindQuota},
		{"ZONE_RESOURCE_POOL_EXHAUSTED_WITH_DETAILS", target.KindQuota},
		{"QUOTA_EXCEEDED", target.KindQuota},
		{"PERMISSIONS_ERROR", target.KindUnauthorized},
		{"RESOURCE_NOT_FOUND", target.KindNotFound},
		{"CONDITION_NOT_MET", target.KindConflict},
		{"INTERNAL_ERROR", target.KindTemporary},
	} {
		t.Run("operation "+test.code, func(t *testing.T) {
			virtual(t, func(t *testing.T) {
				g := serve(t, &gcptest.Server{})
				tgt := impatient(g.scaling(t, web()))
				g.FailNextOperation(test.code, "no")
				if err := tgt.Scale(t.Context(), 4); err != nil {
					t.Fatal(err)
				}
				st := eventually(t, tgt, "it failed", func(st target.State) bool { return st.Failed != nil })
				if target.KindOf(st.Failed) != test.want || st.Requested != 2 || !strings.Contains(st.Failed.Error(), test.code+": no") {
					t.Errorf("%+v (kind %q), want kind %q and 2 requested", st, target.KindOf(st.Failed), test.want)
				}
				if err := tgt.Scale(t.Context(), 3); err != nil {
					t.Fatal(err)
				}
				if st := current(t, tgt); st.Failed != nil || st.Requested != 3 {
					t.Errorf("%+v after another request", st)
				}
			})
		})
	}
}

// TestStockout: a group tries for ever, and what it says of its last attempt is
// the failure.
func TestStockout(t *testing.T) {
	t.Parallel()
	for code, want := range map[string]target.Kind{"": target.KindQuota, "QUOTA_EXCEEDED": target.KindQuota, "INTERNAL_ERROR": ""} {
		t.Run("code "+code, func(t *testing.T) {
			virtual(t, func(t *testing.T) {
				g := serve(t, &gcptest.Server{})
				m := web()
				m.Capacity, m.FailCode = 3, code
				tgt := impatient(g.scaling(t, m))
				if err := tgt.Scale(t.Context(), 5); err != nil {
					t.Fatal(err)
				}
				st := eventually(t, tgt, "3 are ready", func(st target.State) bool { return st.Ready == 3 && (st.Failed != nil) == (want != "") })
				if st.Requested != 5 || target.KindOf(st.Failed) != want {
					t.Errorf("%+v (kind %q), want 5 requested and kind %q", st, target.KindOf(st.Failed), want)
				}
				g.SetCapacity(zone, "web", 0)
				eventually(t, tgt, "there is room", func(st target.State) bool { return st.Ready == 5 && st.Failed == nil })
			})
		})
	}
}

// TestReady: who serves and who does not.
func TestReady(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name           string
		action, status string // of the first of three
		checked        bool
		want           int
	}{
		{"restarting", "RESTARTING", "RUNNING", false, 2},
		{"recreating", "RECREATING", "STOPPING", false, 2},
		{"refreshing serves", "REFRESHING", "RUNNING", false, 3},
		{"being verified", "VERIFYING", "RUNNING", true, 2},
		{"being abandoned", "ABANDONING", "RUNNING", false, 2},
		{"crashed and not repaired", "NONE", "TERMINATED", false, 2},
		{"suspended", "NONE", "SUSPENDED", false, 2},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			g := serve(t, &gcptest.Server{})
			m := web()
			m.Size, m.HealthCheck = 3, test.checked
			tgt := impatient(g.scaling(t, m))
			g.SetInstance(zone, "web", 0, test.action, test.status)
			if st := current(t, tgt); st.Requested != 3 || st.Ready != test.want || st.Min != 0 || st.Max != 0 {
				t.Errorf("%+v, want %d of 3 ready", st, test.want)
			}
		})
	}
}

// TestStandby: the stopped instances of a standby pool are neither requested nor
// ready, and nobody deletes them.
func TestStandby(t *testing.T) {
	virtual(t, testStandby)
}

func testStandby(t *testing.T) {
	g := serve(t, &gcptest.Server{})
	tgt := impatient(g.scaling(t, web()))
	g.AddStopped(zone, "web", 3)
	if st := current(t, tgt); st.Requested != 2 || st.Ready != 2 {
		t.Errorf("%+v, want 2 of 2", st)
	}
	rs, err := tgt.Replicas(t.Context())
	if err != nil || len(rs.List) != 2 {
		t.Errorf("%v, %+v, want the two that run", err, rs.List)
	}
}

// TestHealth: an instance whose health check fails is not ready. While all are
// well they are asked for once a minute only.
func TestHealth(t *testing.T) {
	virtual(t, testHealth)
}

func testHealth(t *testing.T) {
	g := serve(t, &gcptest.Server{})
	m := web()
	m.Size, m.HealthCheck = 3, true
	tgt := impatient(g.scaling(t, m))
	g.SetSick(zone, "web", 1)
	if st := current(t, tgt); st.Ready != 2 {
		t.Errorf("%+v, want 2 ready", st)
	}
	g.SetSick(zone, "web", 0)
	eventually(t, tgt, "all are well", func(st target.State) bool { return st.Ready == 3 })
	g.ForgetRequests()
	for range 3 {
		time.Sleep(5 * time.Millisecond)
		current(t, tgt)
	}
	if n := count(g, "/listManagedInstances"); n != 0 {
		t.Errorf("instances were listed %d times", n)
	}
	g.SetSick(zone, "web", 2)
	tgt.mu.Lock()
	tgt.healthyAt = time.Now().Add(-2 * healthFor)
	tgt.mu.Unlock()
	eventually(t, tgt, "two are sick", func(st target.State) bool { return st.Ready == 1 })
}

// count is how many requests were made whose path has a part.
func count(g google, part string) int {
	n := 0
	for _, r := range g.Requests() {
		if strings.Contains(r, part) {
			n++
		}
	}
	return n
}

func TestAutoscaler(t *testing.T) {
	t.Parallel()
	for mode, refused := range map[string]bool{"": true, "ON": true, "ONLY_UP": true, "ONLY_SCALE_OUT": true, "OFF": false} {
		for _, allowed := range []bool{false, true} {
			t.Run(fmt.Sprintf("mode %s, allowed %t", mode, allowed), func(t *testing.T) {
				t.Parallel()
				g := serve(t, &gcptest.Server{})
				m := web()
				m.Zone, m.Region, m.Autoscaler, m.AutoscalerMode = "", region, "web-scaler", mode
				g.Create(m)
				cfg := g.config(m)
				cfg.AllowOtherOwners = allowed
				tgt := build(t, cfg)
				if st := current(t, tgt); st.Requested != 2 {
					t.Errorf("%+v, want it to be read all the same", st)
				}
				err := tgt.Scale(t.Context(), 3)
				want := target.Kind("")
				if refused && !allowed {
					want = target.KindPermanent
				}
				if target.KindOf(err) != want || (want != "" && !strings.Contains(err.Error(), "autoscaler web-scaler")) {
					t.Errorf("%v (kind %q), want kind %q", err, target.KindOf(err), want)
				}
			})
		}
	}
}

// TestFewCalls: five hundred groups of a zone cost a handful of requests, and
// what one changes is read anew.
func TestFewCalls(t *testing.T) {
	virtual(t, testFewCalls)
}

func testFewCalls(t *testing.T) {
	g := serve(t, &gcptest.Server{PageSize: 200})
	clients := wired()
	tgts := make([]*group, 0, 500)
	for i := range 500 {
		m := web()
		m.Name = fmt.Sprintf("web-%03d", i)
		g.Create(m)
		cfg := g.config(m)
		cfg.clients = clients
		tgt := build(t, cfg)
		t.Cleanup(func() { _ = tgt.Close() })
		tgts = append(tgts, tgt)
	}
	errs := make(chan error, len(tgts))
	for _, tgt := range tgts {
		go func() {
			st, err := tgt.Current(t.Context())
			if err == nil && (st.Requested != 2 || st.Ready != 2) {
				err = fmt.Errorf("%s: %+v", tgt.what, st)
			}
			errs <- err
		}()
	}
	for range tgts {
		if err := <-errs; err != nil {
			t.Error(err)
		}
	}
	got := g.Requests()
	if len(got) > 6 {
		t.Errorf("%d requests for a round of 500 groups: %v", len(got), got)
	}
	g.ForgetRequests()
	if err := tgts[0].Scale(t.Context(), 3); err != nil {
		t.Fatal(err)
	}
	if st := current(t, tgts[0]); st.Requested != 3 {
		t.Errorf("%+v after the request for 3", st)
	}
	if n := count(g, "/resize"); n != 1 {
		t.Errorf("resized %d times", n)
	}
	eventually(t, tgts[0], "3 are ready", func(st target.State) bool { return st.Ready == 3 })
	if clients.pool.Len() != 1 {
		t.Errorf("%d clients for one account", clients.pool.Len())
	}
	for _, tgt := range tgts {
		_ = tgt.Close()
	}
	if clients.pool.Len() != 0 {
		t.Errorf("%d clients are left", clients.pool.Len())
	}
}

// TestAlone: the only group of a zone is asked for by name, since there may be
// thousands of others.
func TestAlone(t *testing.T) {
	virtual(t, testAlone)
}

func testAlone(t *testing.T) {
	g := serve(t, &gcptest.Server{})
	tgt := g.scaling(t, web())
	current(t, tgt)
	want := []string{"GET /compute/v1/projects/shop/zones/europe-west1-b/instanceGroupManagers/web"}
	if diff := cmp.Diff(want, g.Requests()); diff != "" {
		t.Errorf("requests (-want +got):\n%s", diff)
	}
}

// TestLostAnswer: a request whose answer is lost and that is made again is
// carried out once.
func TestLostAnswer(t *testing.T) {
	virtual(t, testLostAnswer)
}

func testLostAnswer(t *testing.T) {
	g := serve(t, &gcptest.Server{OperationTime: 200 * time.Millisecond})
	m := web()
	m.Size = 4
	g.Create(m)
	inner := g.Server
	var lost atomic.Bool
	cfg := g.config(m)
	cfg.Endpoint = listen(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, "/deleteInstances") && !lost.Swap(true) {
			inner.ServeHTTP(discard{make(http.Header)}, r)
			panic(http.ErrAbortHandler)
		}
		inner.ServeHTTP(w, r)
	}))
	tgt := impatient(build(t, cfg))
	victims := g.Instances(zone, "web")[2:]
	if err := tgt.ScaleDown(t.Context(), 3, victims); target.KindOf(err) != target.KindTemporary {
		t.Fatalf("%v (kind %q), want a temporary error", err, target.KindOf(err))
	}
	if err := tgt.ScaleDown(t.Context(), 3, victims); err != nil {
		t.Fatal(err)
	}
	eventually(t, tgt, "3 are left", func(st target.State) bool { return st.Requested == 3 && st.Ready == 3 && st.Failed == nil })
	if left := g.Instances(zone, "web"); len(left) != 3 || slices.Contains(left, victims[0]) {
		t.Errorf("left are %v, want all but %s", left, victims[0])
	}
}

// discard is an answer that nobody gets.
type discard struct{ header http.Header }

func (d discard) Header() http.Header         { return d.header }
func (d discard) Write(b []byte) (int, error) { return len(b), nil }
func (d discard) WriteHeader(int)             {}

// TestVictimGone: one that has gone by itself fails the operation, which is a
// conflict, and costs nobody else.
func TestVictimGone(t *testing.T) {
	virtual(t, testVictimGone)
}

func testVictimGone(t *testing.T) {
	g := serve(t, &gcptest.Server{OperationTime: 200 * time.Millisecond})
	m := web()
	m.Size = 3
	tgt := impatient(g.scaling(t, m))
	gone := g.Instances(zone, "web")[0]
	if err := tgt.ScaleDown(t.Context(), 2, []string{gone}); err != nil {
		t.Fatal(err)
	}
	g.Delete(zone, "web", gone)
	st := eventually(t, tgt, "it failed", func(st target.State) bool { return st.Failed != nil })
	if target.KindOf(st.Failed) != target.KindConflict || st.Requested != 3 {
		t.Errorf("%+v (kind %q), want a conflict and 3 requested", st, target.KindOf(st.Failed))
	}
	if err := tgt.ScaleDown(t.Context(), 2, []string{gone}); err != nil {
		t.Fatal(err)
	}
	var conflict *target.Error
	if err := tgt.ScaleDown(t.Context(), 1, nil); !errors.As(err, &conflict) || conflict.Kind != target.KindConflict {
		t.Errorf("%v while the last request is on its way, want a conflict", err)
	}
	eventually(t, tgt, "2 are left", func(st target.State) bool { return st.Requested == 2 && st.Ready == 2 })
}

func TestReplicas(t *testing.T) {
	virtual(t, testReplicas)
}

func testReplicas(t *testing.T) {
	g := serve(t, &gcptest.Server{})
	m := web()
	m.Size = 1
	tgt := g.scaling(t, m)
	got, err := tgt.Replicas(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	const dns = "web-0001.europe-west1-b.c.shop.internal"
	want := target.Replicas{Label: "instance", List: []target.Replica{{
		ID:   "https://www.googleapis.com/compute/v1/projects/shop/zones/europe-west1-b/instances/web-0001",
		Name: "web-0001", Aliases: []string{"4000000000000000001", dns}, Address: dns, Ready: true,
	}}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("replicas (-want +got):\n%s", diff)
	}
}
