package aws

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/alertscaler/alertscaler/scaler/target"
)

// TestRoundsAreCheap: many targets of one account cost a handful of calls, and
// a change is seen by one call more.
func TestRoundsAreCheap(t *testing.T) {
	virtual(t, testRoundsAreCheap)
}

func testRoundsAreCheap(t *testing.T) {
	s, conn := serveRegion(t)
	clients := wired()
	const many = 500
	var tgts []*asgTarget
	for i := range many {
		g := web()
		g.Name = fmt.Sprintf("web-%d", i)
		s.AddGroup(g)
		cfg := clients.NewASGConfig().(*ASGConfig)
		cfg.Connection, cfg.Name = conn, g.Name
		tgt, err := cfg.New(target.Options{})
		if err != nil {
			t.Fatal(err)
		}
		tgts = append(tgts, tgt.(*asgTarget))
	}
	tgts[0].groups.Age = time.Minute
	round := func() {
		var wg sync.WaitGroup
		for _, tgt := range tgts {
			wg.Go(func() {
				if st, err := tgt.Current(t.Context()); err != nil || st.Requested != 2 && tgt.name != "web-7" {
					t.Errorf("%s: %+v, %v", tgt.name, st, err)
				}
			})
		}
		wg.Wait()
	}
	round()
	round()
	if n := len(s.Calls()); n != many/groupsPerCall {
		t.Errorf("two rounds of %d groups cost %d calls", many, n)
	}
	s.Forget()
	if err := tgts[7].Scale(t.Context(), 4); err != nil {
		t.Fatal(err)
	}
	if st, err := tgts[7].Current(t.Context()); err != nil || st.Requested != 4 {
		t.Errorf("after a change: %+v, %v", st, err)
	}
	round()
	if n := len(s.Calls("DescribeAutoScalingGroups")); n != 2 {
		t.Errorf("one change cost %d readings, want one before and one after", n)
	}
	for _, tgt := range tgts {
		if err := tgt.Close(); err != nil {
			t.Error(err)
		}
	}
	if clients.pool.Len() != 0 || tgts[0].groups.Len() != 0 {
		t.Errorf("%d clients and %d groups are left", clients.pool.Len(), tgts[0].groups.Len())
	}
}

// TestServicesAreBatched: ten a call, and each cluster for itself.
func TestServicesAreBatched(t *testing.T) {
	virtual(t, testServicesAreBatched)
}

func testServicesAreBatched(t *testing.T) {
	s, conn := serveRegion(t)
	clients := wired()
	var tgts []target.Target
	for i := range 24 {
		v := shop()
		v.Name = fmt.Sprintf("web-%d", i)
		v.Cluster = fmt.Sprintf("shop-%d", i%2)
		s.AddService(v)
		cfg := clients.NewECSConfig().(*ECSConfig)
		cfg.Connection, cfg.Cluster, cfg.Service = conn, v.Cluster, v.Name
		tgt, err := cfg.New(target.Options{})
		if err != nil {
			t.Fatal(err)
		}
		tgts = append(tgts, tgt)
	}
	for _, tgt := range tgts {
		if st, err := tgt.Current(t.Context()); err != nil || st.Requested != 2 {
			t.Errorf("%+v, %v", st, err)
		}
	}
	if n := len(s.Calls("DescribeServices")); n != 4 {
		t.Errorf("24 services of two clusters cost %d calls, want 4", n)
	}
}

// TestPages: groups come on several pages.
func TestPages(t *testing.T) {
	virtual(t, testPages)
}

func testPages(t *testing.T) {
	s, conn := serveRegion(t)
	s.PageSize = 2
	clients := wired()
	var tgts []*asgTarget
	for i := range 5 {
		g := web()
		g.Name = fmt.Sprintf("web-%d", i)
		s.AddGroup(g)
		tgts = append(tgts, build(t, &ASGConfig{Connection: conn, Name: g.Name, clients: clients}).(*asgTarget))
	}
	tgts[0].groups.Age = time.Minute
	for _, tgt := range tgts {
		if st, err := tgt.Current(t.Context()); err != nil || st.Requested != 2 {
			t.Errorf("%s: %+v, %v", tgt.name, st, err)
		}
	}
	if n := len(s.Calls("DescribeAutoScalingGroups")); n != 3 {
		t.Errorf("%d pages, want 3", n)
	}
}

// TestThrottledTogether: who is throttled is told so, and not more often than
// asked.
func TestThrottledTogether(t *testing.T) {
	virtual(t, testThrottledTogether)
}

func testThrottledTogether(t *testing.T) {
	s, conn := serveRegion(t)
	s.Rate = 1
	s.AddGroup(web())
	tgt := asg(t, conn)
	if _, err := tgt.Current(t.Context()); err != nil {
		t.Fatal(err)
	}
	time.Sleep(10 * time.Millisecond)
	_, err := tgt.Current(t.Context())
	wantKind(t, "the second", err, target.KindThrottled, "Rate exceeded")
	if n := len(s.Calls()); n != 2 || !strings.Contains(err.Error(), "read group web") {
		t.Errorf("%d calls, %v", n, err)
	}
}
