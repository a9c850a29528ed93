package process

import (
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/alertscaler/alertscaler/scaler/target"
)

func replicas(t *testing.T, p *pool) target.Replicas {
	t.Helper()
	all, err := p.Replicas(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// TestNamedReplicasGo names two of five: their processes end, and the others
// are the ones that ran before.
func TestNamedReplicasGo(t *testing.T) {
	t.Parallel()
	p := open(t, webConfig(), target.Options{})
	scale(t, p, 5)
	converge(t, p)
	before, all := pids(p), replicas(t, p)
	if all.Label != "instance" || all.Fixed || len(all.List) != 5 {
		t.Fatalf("Replicas = %+v, want five by their instance", all)
	}
	want := p.Endpoints()
	var victims []string
	// The oldest ones, which would go last.
	for _, r := range all.List[3:] {
		victims = append(victims, r.ID)
		if r.Name != r.Address || !slices.Contains(want, r.Name) {
			t.Errorf("replica %+v is at none of %v", r, want)
		}
		want = slices.DeleteFunc(want, func(e string) bool { return e == r.Address })
	}
	for i, pid := range before[:2] {
		if !slices.Contains(all.List[4-i].Aliases, strconv.Itoa(pid)) {
			t.Errorf("aliases of the replica with pid %d: %v", pid, all.List[4-i].Aliases)
		}
	}
	if err := p.ScaleDown(t.Context(), 3, victims); err != nil {
		t.Fatal(err)
	}
	if got := p.Endpoints(); !slices.Equal(got, want) {
		t.Errorf("endpoints are %v right after the request, want %v", got, want)
	}
	eventually(t, 20*time.Second, "three processes are left, those not named", func() bool {
		return slices.Equal(pids(p), before[2:])
	})
}

// TestReplicasWithoutPort are named as in what is exported about them, and an
// ID is never used again.
func TestReplicasWithoutPort(t *testing.T) {
	t.Parallel()
	cfg := NewConfig().(*Config)
	cfg.Command = []string{"sleep", "3600"}
	p := open(t, cfg, target.Options{})
	scale(t, p, 1)
	converge(t, p)
	all := replicas(t, p)
	if r := all.List[0]; all.Label != "replica" || r.Name != "0" || r.Address != "" {
		t.Errorf("Replicas = %+v, want the first by its index and no address", all)
	}
	scale(t, p, 0)
	eventually(t, 20*time.Second, "it is gone", func() bool { return len(pids(p)) == 0 })
	scale(t, p, 1)
	if again := replicas(t, p); again.List[0].ID == all.List[0].ID {
		t.Errorf("two replicas have had the ID %s", again.List[0].ID)
	}
}
