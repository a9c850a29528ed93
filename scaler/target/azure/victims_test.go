package azure

import (
	"slices"
	"testing"

	"github.com/alertscaler/alertscaler/scaler/target"
)

func replicaIDs(t *testing.T, s *scaleSet) []string {
	t.Helper()
	rs, err := s.Replicas(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	out := make([]string, 0, len(rs.List))
	for _, r := range rs.List {
		out = append(out, r.ID)
	}
	return out
}

// TestProtected: who is protected from scale-in stays, named or not.
func TestProtected(t *testing.T) {
	virtual(t, testProtected)
}

func testProtected(t *testing.T) {
	x := web()
	x.Capacity = 4
	f := start(t, nil, x)
	s := open(t, f.config("web"))
	settle(t, s, 4, 4)
	f.Protect("shop", "web", "3")
	if got, want := replicaIDs(t, s), []string{"2", "1", "0", "3"}; !slices.Equal(got, want) {
		t.Errorf("in the order %v, want %v: the highest first, the protected one last", got, want)
	}
	if err := s.ScaleDown(t.Context(), 2, []string{"3", "0"}); err != nil {
		t.Fatal(err)
	}
	settle(t, s, 2, 2)
	got := replicaIDs(t, s)
	slices.Sort(got)
	if want := []string{"1", "3"}; !slices.Equal(got, want) {
		t.Errorf("left are %v, want %v", got, want)
	}
	// There is only the other one that may go: the platform has its say.
	f.Protect("shop", "web", "1")
	f.Requests()
	if err := s.ScaleDown(t.Context(), 1, []string{"1"}); err != nil {
		t.Fatal(err)
	}
	if r := f.Requests(); count(r, "POST ") != 0 || count(r, "PATCH ") != 1 {
		t.Errorf("requests %v, want the capacity lowered and nothing deleted", r)
	}
}

// TestNames: instances are found by the names that series have of them.
func TestNames(t *testing.T) {
	virtual(t, testNames)
}

func testNames(t *testing.T) {
	for _, test := range []struct {
		flexible bool
		want     target.Replica
	}{
		{false, target.Replica{ID: "0", Name: "web000000", Aliases: []string{"web_0"}, Ready: true}},
		{true, target.Replica{ID: "web_00000000", Name: "web000000", Aliases: []string{"web_00000000"}, Ready: true}},
	} {
		x := web()
		x.Flexible = test.flexible
		s := open(t, start(t, nil, x).config("web"))
		settle(t, s, 1, 1)
		rs, err := s.Replicas(t.Context())
		if err != nil || len(rs.List) != 1 || rs.Label != "instance" {
			t.Fatalf("%+v, %v", rs, err)
		}
		got := rs.List[0]
		if got.ID != test.want.ID || got.Name != test.want.Name || !slices.Equal(got.Aliases, test.want.Aliases) || !got.Ready {
			t.Errorf("%+v, want %+v", got, test.want)
		}
	}
}
