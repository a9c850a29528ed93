package aliyun

import (
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/alertscaler/alertscaler/scaler/target"
	"github.com/alertscaler/alertscaler/scaler/target/aliyun/aliyuntest"
)

func TestState(t *testing.T) {
	t.Parallel()
	both(t, func(t *testing.T, g aliyuntest.Group) {
		g.Min, g.Count = 1, 4
		s, host := api(t, g)
		tgt := at(t, host)
		if got, want := current(t, tgt), (target.State{Requested: 4, Ready: 4, Min: 1, Max: 10}); got != want {
			t.Errorf("%+v, want %+v", got, want)
		}
		// A protected instance serves; one on standby is there and does not.
		ids := s.Instances(testGroup)
		s.SetInstance(testGroup, ids[0], "Protected", false)
		s.SetInstance(testGroup, ids[1], "Standby", false)
		until(t, tgt, "4 requested and 3 ready", func(st target.State) bool { return st.Requested == 4 && st.Ready == 3 })
		// While they are removed, they are not requested.
		s.Change(testGroup, func(g *aliyuntest.Group) { g.Stop = time.Minute })
		s.SetCount(testGroup, 3)
		until(t, tgt, "3 requested", func(st target.State) bool { return st.Requested == 3 && st.Ready == 2 })
	})
}

func TestRefusals(t *testing.T) {
	t.Parallel()
	both(t, func(t *testing.T, like aliyuntest.Group) {
		for _, test := range []struct {
			name   string
			change func(*aliyuntest.Group)
			to     int
			want   target.Kind
			says   string
		}{
			{"disabled", func(g *aliyuntest.Group) { g.State = "Inactive" }, 3, target.KindPermanent, "is inactive; it has to be enabled"},
			{"deleted", func(g *aliyuntest.Group) { g.State = "Deleting" }, 3, target.KindNotFound, "is being deleted"},
			{"no scale-out", func(g *aliyuntest.Group) { g.Suspended = []string{"HealthCheck", "ScaleOut"} }, 3, target.KindPermanent, "ScaleOut of the group is suspended"},
			{"no scale-in", func(g *aliyuntest.Group) { g.Suspended = []string{"ScaleIn"} }, 1, target.KindPermanent, "ScaleIn of the group is suspended"},
			{"scale-in without scale-out", func(g *aliyuntest.Group) { g.Suspended = []string{"ScaleOut"} }, 1, "", ""},
			{"given up", func(g *aliyuntest.Group) { g.Halted = true }, 3, target.KindPermanent, "days of failures"},
			{"above the maximum", func(*aliyuntest.Group) {}, 11, target.KindQuota, "MaxSize is 10"},
			{"below the minimum", func(g *aliyuntest.Group) { g.Min = 2 }, 1, target.KindPermanent, "MinSize is 2"},
			{"weighted", func(g *aliyuntest.Group) { g.Weight = 4 }, 3, target.KindPermanent, "have weights"},
		} {
			g := like
			test.change(&g)
			s, host := api(t, g)
			err := at(t, host).Scale(t.Context(), test.to)
			if target.KindOf(err) != test.want || (err != nil && !strings.Contains(err.Error(), test.says)) {
				t.Errorf("%s: %v (kind %q), want kind %q and %q", test.name, err, target.KindOf(err), test.want, test.says)
			}
			if calls := s.Calls(); err != nil && calls["ModifyScalingGroup"]+calls["ScaleWithAdjustment"] > 0 {
				t.Errorf("%s: Auto Scaling was asked: %v", test.name, calls)
			}
		}
	})
}

// TestFailed follows activities that come to nothing, or to half.
func TestFailed(t *testing.T) {
	t.Parallel()
	both(t, func(t *testing.T, like aliyuntest.Group) {
		for _, test := range []struct {
			code  string
			makes int
			want  target.Kind
		}{
			{"OperationDenied.NoStock", 0, target.KindQuota},
			{"QuotaExceed.ElasticQuota", 1, target.KindQuota},
			{"InvalidImageId.NotFound", 0, target.KindPermanent},
		} {
			g := like
			g.Fails, g.Makes, g.Boot = test.code, test.makes, time.Second
			s, host := api(t, g)
			tgt := at(t, host)
			if err := tgt.Scale(t.Context(), 5); err != nil {
				t.Fatal(err)
			}
			if st := current(t, tgt); st.Requested != 5 {
				t.Errorf("%s: %+v right after the request", test.code, st)
			}
			st := until(t, tgt, "a failure", func(st target.State) bool { return st.Failed != nil })
			if target.KindOf(st.Failed) != test.want || !strings.Contains(st.Failed.Error(), test.code) {
				t.Errorf("%s: %v (kind %q), want kind %q", test.code, st.Failed, target.KindOf(st.Failed), test.want)
			}
			// Without an expected number nobody goes on trying.
			if want := 2 + test.makes; !g.Expected && (st.Requested != want || st.Ready != want) {
				t.Errorf("%s: %+v, want the %d that there are", test.code, st, want)
			}
			s.Change(testGroup, func(g *aliyuntest.Group) { g.Fails = "" })
			if !g.Expected {
				for range 3 {
					if current(t, tgt).Failed == nil {
						t.Errorf("%s: the failure is forgotten", test.code)
					}
				}
				if err := tgt.Scale(t.Context(), 5); err != nil {
					t.Fatalf("%s: the same number again: %v", test.code, err)
				}
			}
			until(t, tgt, "5 and no failure", func(st target.State) bool { return st.Ready == 5 && st.Requested == 5 && st.Failed == nil })
		}
	})
}

// TestFailureOfBefore: what failed before a request is no failure of it.
func TestFailureOfBefore(t *testing.T) {
	virtual(t, testFailureOfBefore)
}

func testFailureOfBefore(t *testing.T) {
	g := expecting()
	g.Fails = "OperationDenied.NoStock"
	s, host := api(t, g)
	s.SetCount(testGroup, 3)
	time.Sleep(2 * g.Boot)
	s.Change(testGroup, func(g *aliyuntest.Group) { g.Fails, g.Boot = "", 300*time.Millisecond })
	tgt := at(t, host)
	if err := tgt.Scale(t.Context(), 4); err != nil {
		t.Fatal(err)
	}
	until(t, tgt, "4 ready", func(st target.State) bool {
		if st.Failed != nil {
			t.Fatalf("%+v", st)
		}
		return st.Ready == 4
	})
}

// TestForeignAfterFailure: once someone else has changed the group, our failure
// is no longer what there is to say of it.
func TestForeignAfterFailure(t *testing.T) {
	virtual(t, testForeignAfterFailure)
}

func testForeignAfterFailure(t *testing.T) {
	g := web()
	g.Fails = "OperationDenied.NoStock"
	s, host := api(t, g)
	tgt := at(t, host)
	if err := tgt.Scale(t.Context(), 5); err != nil {
		t.Fatal(err)
	}
	until(t, tgt, "a failure", func(st target.State) bool { return st.Failed != nil })
	s.Change(testGroup, func(g *aliyuntest.Group) { g.Fails = "" })
	s.SetCount(testGroup, 3)
	st := until(t, tgt, "3 ready", func(st target.State) bool { return st.Ready == 3 })
	if st.Failed != nil || !st.LastChange.IsZero() {
		t.Errorf("%+v, want nothing of our request", st)
	}
}

// TestLag: reads lie behind, and behind our own request too.
func TestLag(t *testing.T) {
	t.Parallel()
	both(t, func(t *testing.T, g aliyuntest.Group) {
		g.Lag = 300 * time.Millisecond
		_, host := api(t, g)
		tgt := at(t, host)
		current(t, tgt)
		if err := tgt.Scale(t.Context(), 4); err != nil {
			t.Fatal(err)
		}
		// Without an expected number, the request is known by its activity.
		for end := time.Now().Add(g.Lag / 2); !g.Expected && time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
			if st := current(t, tgt); st.Requested != 4 {
				t.Fatalf("%+v, want 4 requested", st)
			}
		}
		st := until(t, tgt, "4 ready", func(st target.State) bool { return st.Requested == 4 && st.Ready == 4 })
		if time.Since(st.LastChange) > time.Minute {
			t.Errorf("%+v, want the time of the request", st)
		}
	})
}

// TestActivityInProgress: without an expected number, another request has to
// wait; with one it has not.
func TestActivityInProgress(t *testing.T) {
	t.Parallel()
	both(t, func(t *testing.T, g aliyuntest.Group) {
		g.Boot = 3 * time.Second
		_, host := api(t, g)
		tgt := at(t, host)
		if err := tgt.Scale(t.Context(), 4); err != nil {
			t.Fatal(err)
		}
		err := tgt.Scale(t.Context(), 6)
		if g.Expected {
			if err != nil {
				t.Error(err)
			}
			return
		}
		if target.KindOf(err) != target.KindConflict || !strings.Contains(err.Error(), "ScalingActivityInProgress") {
			t.Errorf("%v (kind %q), want a conflict", err, target.KindOf(err))
		}
		until(t, tgt, "4 ready", func(st target.State) bool { return st.Ready == 4 })
		if err := tgt.Scale(t.Context(), 6); err != nil {
			t.Error(err)
		}
	})
}

// TestLostAnswer: a request whose answer was lost, made again, is the same one.
func TestLostAnswer(t *testing.T) {
	virtual(t, testLostAnswer)
}

func testLostAnswer(t *testing.T) {
	g := web()
	g.Boot = time.Minute
	s, host := api(t, g)
	tgt := at(t, host)
	var tokens []string
	var lost atomic.Bool
	s.Fault = func(action string, form map[string]string) *aliyuntest.Error {
		if action == "ScaleWithAdjustment" {
			tokens = append(tokens, form["ClientToken"])
			if !lost.Swap(true) {
				return &aliyuntest.Error{Status: 500, Code: "InternalError", Message: "The request processing has failed."}
			}
		}
		return nil
	}
	if err := tgt.Scale(t.Context(), 4); target.KindOf(err) != target.KindTemporary {
		t.Fatal(err)
	}
	if err := tgt.Scale(t.Context(), 4); err != nil {
		t.Fatal(err)
	}
	if len(tokens) != 2 || tokens[0] != tokens[1] || tokens[0] == "" {
		t.Errorf("tokens %v, want the same twice", tokens)
	}
}

// TestOtherOwners refuses what event-triggered tasks scale too.
func TestOtherOwners(t *testing.T) {
	virtual(t, testOtherOwners)
}

func testOtherOwners(t *testing.T) {
	s, host := api(t, web())
	rules := []string{"ari:acs:ess:cn-hangzhou:123456789012:scalingrule/asr-1"}
	tgt := at(t, host)
	s.SetAlarms(aliyuntest.Alarm{Group: testGroup, Name: "cpu-high", Rules: rules}, aliyuntest.Alarm{Group: "asg-2", Name: "other", Rules: rules})
	err := tgt.Scale(t.Context(), 4)
	if target.KindOf(err) != target.KindPermanent || !strings.Contains(err.Error(), "cpu-high") || strings.Contains(err.Error(), "other,") {
		t.Fatalf("%v (kind %q), want it to name the task", err, target.KindOf(err))
	}
	if st := current(t, tgt); st.Requested != 2 {
		t.Errorf("%+v: it was scaled all the same", st)
	}
	// Whoever is asked to, or only tells people, or may not act, is no owner.
	allowed := build(t, &Config{ScalingGroupID: testGroup, Access: access(host), clients: quick(), AllowOtherOwners: true})
	if err := allowed.Scale(t.Context(), 3); err != nil {
		t.Errorf("allowed: %v", err)
	}
	until(t, tgt, "3 ready", func(st target.State) bool { return st.Ready == 3 })
	s.SetAlarms(aliyuntest.Alarm{Group: testGroup, Name: "tells"}, aliyuntest.Alarm{Group: testGroup, Name: "off", Rules: rules, Disabled: true})
	if err := tgt.Scale(t.Context(), 4); err != nil {
		t.Errorf("once it is disabled: %v", err)
	}
	until(t, tgt, "4 ready", func(st target.State) bool { return st.Ready == 4 })
	if err := tgt.Scale(t.Context(), 5); err != nil || s.Calls()["DescribeAlarms"] != 2 {
		t.Errorf("%v, %d calls, want the tasks to be kept for a minute", err, s.Calls()["DescribeAlarms"])
	}
	s, host = api(t, func() aliyuntest.Group { g := web(); g.Suspended = []string{"AlarmNotification"}; return g }())
	s.SetAlarms(aliyuntest.Alarm{Group: testGroup, Name: "cpu-high", Rules: rules})
	if err := at(t, host).Scale(t.Context(), 4); err != nil {
		t.Errorf("suspended: %v", err)
	}
}

// TestManyGroups: five hundred targets cost a handful of calls a round.
func TestManyGroups(t *testing.T) {
	virtual(t, testManyGroups)
}

func testManyGroups(t *testing.T) {
	const n = 500
	var groups []aliyuntest.Group
	for i := range n {
		g := web()
		g.ID, g.Count = fmt.Sprintf("asg-bp%016d", i), i%7
		groups = append(groups, g)
	}
	s, host := api(t, groups...)
	clients := wired()
	clients.snapshotAge = time.Hour
	targets := make([]*group, n)
	for i := range targets {
		targets[i] = build(t, &Config{ScalingGroupID: groups[i].ID, Access: access(host), clients: clients})
	}
	round := func() {
		t.Helper()
		var wg sync.WaitGroup
		for i, tgt := range targets {
			wg.Go(func() {
				if st, err := tgt.Current(t.Context()); err != nil || st.Requested != i%7 || st.Ready != i%7 {
					t.Errorf("%s: %+v, %v, want %d", tgt.id, st, err, i%7)
				}
			})
		}
		wg.Wait()
	}
	round()
	if calls := s.Calls(); calls["DescribeScalingGroups"] != 10 || len(calls) != 1 {
		t.Errorf("calls of a round: %v, want 10 pages", calls)
	}
	round()
	if calls := s.Calls(); calls["DescribeScalingGroups"] != 10 {
		t.Errorf("calls of another right after: %v", calls)
	}
	// Few of many are read by themselves.
	s, host = api(t, groups...)
	few := wired()
	few.snapshotAge = time.Nanosecond
	var last *group
	for i := range 45 {
		last = build(t, &Config{ScalingGroupID: groups[i].ID, Access: access(host), clients: few})
	}
	current(t, last) // lists all, and learns how many there are
	time.Sleep(time.Nanosecond)
	before := s.Calls()["DescribeScalingGroups"]
	current(t, last)
	if got := s.Calls()["DescribeScalingGroups"] - before; got != 3 {
		t.Errorf("%d calls for 45 groups of 500, want 3", got)
	}
}

// TestOwnWriteIsSeen: nobody's snapshot outlives a request.
func TestOwnWriteIsSeen(t *testing.T) {
	virtual(t, testOwnWriteIsSeen)
}

func testOwnWriteIsSeen(t *testing.T) {
	_, host := api(t, expecting())
	clients := wired()
	clients.snapshotAge = time.Hour
	tgt := build(t, &Config{ScalingGroupID: testGroup, Access: access(host), clients: clients})
	current(t, tgt)
	for _, n := range []int{5, 3} {
		if err := tgt.Scale(t.Context(), n); err != nil {
			t.Fatal(err)
		}
		if st := current(t, tgt); st.Requested != n {
			t.Errorf("%+v, want %d", st, n)
		}
	}
}
