package aliyun

import (
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/alertscaler/alertscaler/scaler/target"
	"github.com/alertscaler/alertscaler/scaler/target/aliyun/aliyuntest"
)

func replicas(t testing.TB, tgt target.Victims) target.Replicas {
	t.Helper()
	rs, err := tgt.Replicas(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return rs
}

func replicaIDs(rs target.Replicas) []string {
	var out []string
	for _, r := range rs.List {
		out = append(out, r.ID)
	}
	return out
}

func TestReplicas(t *testing.T) {
	virtual(t, testReplicas)
}

func testReplicas(t *testing.T) {
	g := web()
	g.Count = 4
	s, host := api(t, g)
	tgt := at(t, host)
	ids := s.Instances(testGroup)
	s.SetInstance(testGroup, ids[0], "Protected", false)
	s.SetInstance(testGroup, ids[1], "Standby", false)
	s.SetInstance(testGroup, ids[2], "", true)
	want := target.Replicas{Label: "instance", List: []target.Replica{
		{ID: ids[2], Name: ids[2], Address: "10.0.0.3", Aliases: []string{"10.0.0.3"}},
		{ID: ids[3], Name: ids[3], Address: "10.0.0.4", Aliases: []string{"10.0.0.4"}, Ready: true},
	}}
	if diff := cmp.Diff(want, replicas(t, tgt)); diff != "" {
		t.Error(diff)
	}
	s.Change(testGroup, func(g *aliyuntest.Group) {
		g.RemovalPolicies = []string{"OldestScalingConfiguration", "NewestInstance"}
	})
	time.Sleep(20 * time.Millisecond)
	if got := replicaIDs(replicas(t, tgt)); !slices.Equal(got, []string{ids[3], ids[2]}) {
		t.Errorf("%v, want the newest first", got)
	}
}

// TestReplicasThatGo: who was told to go is not wanted, though it is in service
// as yet.
func TestReplicasThatGo(t *testing.T) {
	t.Parallel()
	both(t, func(t *testing.T, g aliyuntest.Group) {
		g.Count, g.Stop = 3, time.Minute
		s, host := api(t, g)
		tgt := at(t, host)
		ids := s.Instances(testGroup)
		if err := tgt.ScaleDown(t.Context(), 2, []string{ids[1]}); err != nil {
			t.Fatal(err)
		}
		if got := replicaIDs(replicas(t, tgt)); !slices.Equal(got, []string{ids[0], ids[2]}) {
			t.Errorf("%v, want all but %s", got, ids[1])
		}
		if st := current(t, tgt); st.Requested != 2 || st.Ready != 2 {
			t.Errorf("%+v, want 2", st)
		}
	})
}

// TestManyVictims: one call names twenty.
func TestManyVictims(t *testing.T) {
	t.Parallel()
	both(t, func(t *testing.T, g aliyuntest.Group) {
		g.Count, g.Max = 130, 200
		s, host := api(t, g)
		tgt := at(t, host)
		rs := replicas(t, tgt)
		if len(rs.List) != 130 {
			t.Fatalf("%d replicas, want all pages", len(rs.List))
		}
		victims := replicaIDs(rs)[100:]
		err := tgt.ScaleDown(t.Context(), 100, victims)
		if g.Expected {
			if err != nil {
				t.Fatal(err)
			}
			if st := current(t, tgt); st.Requested != 100 {
				t.Errorf("%+v, want 100 requested", st)
			}
		} else {
			if target.KindOf(err) != target.KindConflict {
				t.Fatalf("%v (kind %q), want a conflict", err, target.KindOf(err))
			}
			if st := current(t, tgt); st.Requested != 110 {
				t.Errorf("%+v, want the 110 that one call leaves", st)
			}
			until(t, tgt, "110 ready", func(st target.State) bool { return st.Ready == 110 })
			// They serve no more as soon as they are being removed.
			for end := time.Now().Add(10 * time.Second); target.KindOf(err) == target.KindConflict && time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
				err = tgt.ScaleDown(t.Context(), 100, victims)
			}
			if err != nil {
				t.Fatal(err)
			}
		}
		until(t, tgt, "100 ready", func(st target.State) bool { return st.Ready == 100 })
		left := s.Instances(testGroup)
		gone := 0
		for _, v := range victims {
			if !slices.Contains(left, v) {
				gone++
			}
		}
		if gone < idsPerCall || (!g.Expected && gone != len(victims)) {
			t.Errorf("%d of %d that were named are gone", gone, len(victims))
		}
	})
}

// TestRemovePolicy: what is removed becomes what the group makes of it.
func TestRemovePolicy(t *testing.T) {
	t.Parallel()
	for policy, want := range map[string]string{"": "release", "release": "release", "recycle": "recycle", "forcerelease": "release"} {
		g := expecting()
		g.ScalingPolicy = policy
		s, host := api(t, g)
		var got string
		s.Fault = func(action string, form map[string]string) *aliyuntest.Error {
			if action == "RemoveInstances" {
				got = form["RemovePolicy"]
			}
			return nil
		}
		if err := at(t, host).ScaleDown(t.Context(), 1, s.Instances(testGroup)); err != nil || got != want {
			t.Errorf("%q: removed with %q, %v, want %q", policy, got, err, want)
		}
	}
}
