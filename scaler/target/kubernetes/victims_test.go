package kubernetes

import (
	"fmt"
	"net/http"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/alertscaler/alertscaler/scaler/realtest"
	"github.com/alertscaler/alertscaler/scaler/target"
)

// podObject is what tests read of a pod.
type podObject struct {
	Metadata struct {
		Name, UID   string
		Annotations map[string]string
	}
}

// pod reads one of the namespace default.
func (c *testCluster) pod(t testing.TB, name string) podObject {
	t.Helper()
	var p podObject
	c.Call(t, http.MethodGet, "/api/v1/namespaces/default/pods/"+name, nil, &p)
	return p
}

// costs is what a pod's annotations say: its cost, and the one that it had
// before it was marked; "-" for none.
func (c *testCluster) costs(t testing.TB, name string) [2]string {
	t.Helper()
	var out [2]string
	for i, key := range []string{costAnnotation, markAnnotation} {
		out[i] = "-"
		if v, ok := c.pod(t, name).Metadata.Annotations[key]; ok {
			out[i] = v
		}
	}
	return out
}

func (c *testCluster) setCost(t testing.TB, pod, cost string) {
	t.Helper()
	c.Call(t, http.MethodPatch, "/api/v1/namespaces/default/pods/"+pod,
		map[string]any{"metadata": map[string]any{"annotations": map[string]any{costAnnotation: cost}}}, nil)
}

// replicas waits until a target has that many replicas, all ready, and returns
// their names by uid.
func replicas(t testing.TB, tgt target.Target, n int) (ids []string, uids map[string]string) {
	t.Helper()
	settle(t, tgt, target.State{Requested: n, Ready: n})
	realtest.Eventually(t, converge, 100*time.Millisecond, fmt.Sprintf("%d replicas", n), func() error {
		rs, err := tgt.(target.Victims).Replicas(t.Context())
		if err != nil {
			return err
		}
		ids, uids = nil, make(map[string]string)
		for _, r := range rs.List {
			if !r.Ready || r.Name != r.ID || r.Address == "" || r.Aliases[0] != r.Address || len(r.Aliases) != 2 {
				return fmt.Errorf("replica %+v", r)
			}
			ids = append(ids, r.ID)
			uids[r.ID] = r.Aliases[1]
		}
		if rs.Label != "pod" || len(ids) != n || len(uids) != n {
			return fmt.Errorf("replicas %+v", rs)
		}
		return nil
	})
	return ids, uids
}

// scaleDown asks for it, again after conflicts: controllers write too.
func scaleDown(t testing.TB, tgt target.Target, n int, victims ...string) {
	t.Helper()
	realtest.Eventually(t, converge, 50*time.Millisecond, "the scale-down is accepted", func() error {
		err := tgt.(target.Victims).ScaleDown(t.Context(), n, victims)
		if err != nil && target.KindOf(err) != target.KindConflict {
			t.Fatal(err)
		}
		return err
	})
}

// testVictims: exactly those that are named go, three times over.
func testVictims(t *testing.T, c *testCluster) {
	name := c.create(t, "apps/v1", "Deployment", 5, "0s")
	// The same labels make no replica.
	c.Create(t, fmt.Sprintf(`{ apiVersion: v1, kind: Pod, metadata: { name: other-%s, labels: { app: %[1]s } }, spec: { containers: [ { name: web, image: example/web } ] } }`, name))
	tgt := open(t, c.deployment(name))
	ids, want := replicas(t, tgt, 5)

	for _, names := range [][]string{{ids[4], ids[2]}, {ids[3], ids[0], "no-such-pod"}} {
		left := len(want) - 2
		scaleDown(t, tgt, left, names...)
		delete(want, names[0])
		delete(want, names[1])
		_, got := replicas(t, tgt, left)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("after %v were to go (-want +got):\n%s", names, diff)
		}
		for id := range got {
			if got := c.costs(t, id); got != [2]string{"-", "-"} {
				t.Errorf("%s stays and has cost and mark %q", id, got)
			}
		}
		err := tgt.(target.Victims).ScaleDown(t.Context(), left, []string{ids[1]})
		wantKind(t, "ScaleDown to what there is", err, target.KindNoOp, "")
	}
	// Nobody is known, so the platform chooses.
	scale(t, tgt, 2)
	replicas(t, tgt, 2)
	scaleDown(t, tgt, 1, "nobody", ids[4])
	replicas(t, tgt, 1)
	// And down to none, with more names than are needed.
	ids, _ = replicas(t, tgt, 1)
	scaleDown(t, tgt, 0, ids[0], ids[0], "nobody")
	replicas(t, tgt, 0)
}

// testMarks: costs that others gave are respected, and are there again where a
// scale-down came to nothing.
func testMarks(t *testing.T, c *testCluster) {
	name := c.create(t, "apps/v1", "Deployment", 4, "0s")
	var refuse atomic.Bool
	tgt := open(t, c.proxied(t, name, func(w http.ResponseWriter, r *http.Request) bool {
		return r.Method == http.MethodPut && refuse.Load() && answer(409, "Conflict", "has been modified")(w, r)
	}))
	ids, _ := replicas(t, tgt, 4)
	c.setCost(t, ids[0], "7")
	c.setCost(t, ids[1], "-100")
	if got, _ := replicas(t, tgt, 4); got[0] != ids[1] || got[3] != ids[0] {
		t.Errorf("replicas %v are not in the order of their costs, with %s first and %s last", got, ids[1], ids[0])
	}

	refuse.Store(true)
	err := tgt.(target.Victims).ScaleDown(t.Context(), 2, []string{ids[0], ids[2]})
	wantKind(t, "ScaleDown", err, target.KindConflict, "has been modified")
	want := map[string][2]string{ids[0]: {"-102", "7"}, ids[1]: {"-100", "-"}, ids[2]: {"-101", ""}, ids[3]: {"-", "-"}}
	got := make(map[string][2]string)
	for _, id := range ids {
		got[id] = c.costs(t, id)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("costs and marks after a conflict (-want +got):\n%s", diff)
	}
	// They are all still wanted.
	replicas(t, tgt, 4)

	refuse.Store(false)
	scaleDown(t, tgt, 3, ids[3])
	if got, _ := replicas(t, tgt, 3); slices.Contains(got, ids[3]) {
		t.Errorf("%s was to go, and %v stayed", ids[3], got)
	}
	for id, want := range map[string][2]string{ids[0]: {"7", "-"}, ids[1]: {"-100", "-"}, ids[2]: {"-", "-"}} {
		if got := c.costs(t, id); got != want {
			t.Errorf("%s stays and has cost and mark %q, want %q", id, got, want)
		}
	}
}

// testVictimsOfMany: two scale-downs before the controller does anything are
// carried out both.
func testVictimsOfMany(t *testing.T, c *testCluster) {
	tgt := open(t, c.deployment(c.create(t, "apps/v1", "Deployment", 5, "0s")))
	ids, want := replicas(t, tgt, 5)
	c.ControllerManager.Kill()
	scaleDown(t, tgt, 4, ids[3])
	rs, err := tgt.(target.Victims).Replicas(t.Context())
	if err != nil || len(rs.List) != 4 || slices.ContainsFunc(rs.List, func(r target.Replica) bool { return r.ID == ids[3] }) {
		t.Errorf("Replicas = %+v, %v, want the four that %s is not among", rs, err, ids[3])
	}
	scaleDown(t, tgt, 3, ids[4])
	c.ControllerManager.Restart(t)
	delete(want, ids[3])
	delete(want, ids[4])
	_, got := replicas(t, tgt, 3)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("the others (-want +got):\n%s", diff)
	}
}

// testFixedOrder: a StatefulSet lets the highest number go.
func testFixedOrder(t *testing.T, c *testCluster) {
	name := c.create(t, "apps/v1", "StatefulSet", 3, "0s")
	cfg := c.deployment(name)
	cfg.Kind = "StatefulSet"
	tgt := open(t, cfg)
	ids, _ := replicas(t, tgt, 3)
	if diff := cmp.Diff([]string{name + "-2", name + "-1", name + "-0"}, ids); diff != "" {
		t.Errorf("order (-want +got):\n%s", diff)
	}
	if rs, err := tgt.(target.Victims).Replicas(t.Context()); err != nil || !rs.Fixed {
		t.Errorf("Replicas = %+v, %v, want it fixed", rs, err)
	}
	scaleDown(t, tgt, 2, name+"-0")
	ids, _ = replicas(t, tgt, 2)
	if diff := cmp.Diff([]string{name + "-1", name + "-0"}, ids); diff != "" {
		t.Errorf("after the scale-down (-want +got):\n%s", diff)
	}
	if got := c.costs(t, name+"-0"); got != [2]string{"-", "-"} {
		t.Errorf("cost and mark %q where they do nothing", got)
	}
}

// testOrder: what does not serve goes first, and is listed first.
func testOrder(t *testing.T, c *testCluster) {
	name := c.create(t, "apps/v1", "Deployment", 2, "0s")
	tgt := open(t, c.deployment(name))
	old, _ := replicas(t, tgt, 2)
	never := map[string]any{"spec": map[string]any{"template": map[string]any{"metadata": map[string]any{
		"annotations": map[string]any{realtest.PodReadyAfter: "never"},
	}}}}
	// A rollout that cannot go on: one pod of the new ReplicaSet beside the two
	// of the old one.
	c.Call(t, http.MethodPatch, object("apps/v1", "deployments", name), never, nil)
	realtest.Eventually(t, converge, 100*time.Millisecond, "the pods of both ReplicaSets, the new one first", func() error {
		rs, err := tgt.(target.Victims).Replicas(t.Context())
		switch {
		case err != nil:
			return err
		case len(rs.List) != 3:
			return fmt.Errorf("%d replicas", len(rs.List))
		case rs.List[0].Ready || slices.Contains(old, rs.List[0].ID) || !rs.List[1].Ready || !rs.List[2].Ready:
			return fmt.Errorf("%+v", rs.List)
		}
		return nil
	})
}
