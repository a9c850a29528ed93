package targettest

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/alertscaler/alertscaler/scaler/target"
)

// testVictims tests what a platform promises that can tell its replicas apart.
func (h Harness) testVictims(t *testing.T) {
	told := false
	h.bubble(t, func(t *testing.T) {
		s := h.open(t, h.New(t))
		if told = s.victims != nil; told {
			s.start(2)
			s.agree(2)
		}
	})
	if !told {
		t.Skip("the platform's replicas cannot be told apart")
	}
	for _, c := range []test{
		{"NamedOnesGo", h.New, testNamedOnesGo, ""},
		{"SurplusNamesStay", h.New, testSurplusNamesStay, ""},
		{"UnknownNames", h.New, testUnknownNames, ""},
		{"SameCountIsNoOp", h.New, testVictimsNoOp, ""},
		{"NotACount", h.New, testVictimsNotACount, ""},
		{"Missing", h.Missing, victimsRefused(target.KindNotFound), "what is scaled cannot be missing"},
		{"Forbidden", h.Forbidden, victimsRefused(target.KindUnauthorized), "the platform asks for no credentials"},
		{"Unreachable", h.Unreachable, victimsRefused(target.KindTemporary), "the platform cannot be out of reach"},
	} {
		h.run(t, c)
	}
}

func victimsRefused(want target.Kind) func(*subject) {
	return func(s *subject) {
		list, err := s.victims.Replicas(s.Context())
		s.wantKind("Replicas", err, want)
		if len(list.List) > 0 {
			s.Errorf("Replicas = %+v beside an error: nobody read them", list)
		}
		s.wantKind("ScaleDown", s.down(1), want)
	}
}

// list reads the replicas; an error fails the test, and so does what no
// platform may say.
func (s *subject) list() target.Replicas {
	s.Helper()
	all, err := read(s, s.victims.Replicas)
	if err != nil {
		s.Fatalf("Replicas: %v (kind %s)", err, target.KindOf(err))
	}
	if all.Label == "" {
		s.Error("Replicas: no label, want the one that series have of this platform")
	}
	// Whoever has a name or an alias in a series must be one replica.
	seen := make(map[string]string)
	for _, r := range all.List {
		if r.ID == "" || r.Name == "" {
			s.Errorf("Replicas: %+v, want an ID and a name", r)
		}
		for _, name := range append([]string{r.ID, r.Name}, r.Aliases...) {
			if other, ok := seen[name]; ok && other != r.ID {
				s.Errorf("Replicas: both %s and %s are called %q", other, r.ID, name)
			}
			seen[name] = r.ID
		}
	}
	return all
}

func ids(all []target.Replica) []string {
	out := make([]string, 0, len(all))
	for _, r := range all {
		out = append(out, r.ID)
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// agree waits until Replicas and Current say that n replicas are ready, and
// makes sure that reading changes nothing.
func (s *subject) agree(n int) target.Replicas {
	s.Helper()
	var first target.Replicas
	s.eventually(fmt.Sprintf("Replicas has %d that are ready, as Current has", n), func() error {
		first = s.list()
		notReady := slices.ContainsFunc(first.List, func(r target.Replica) bool { return !r.Ready })
		if st := s.current(); st.Requested != n || st.Ready != n || len(ids(first.List)) != n || notReady {
			return fmt.Errorf("they are %+v and %+v", first.List, st)
		}
		return nil
	})
	for range 3 {
		if again := s.list(); !slices.Equal(ids(again.List), ids(first.List)) || again.Fixed != first.Fixed {
			s.Fatalf("Replicas = %+v after %+v, with no request between", again, first)
		}
	}
	if st := s.current(); st.Requested != n || st.Ready != n {
		s.Fatalf("Current = %+v after nothing but reads, want %d", st, n)
	}
	return first
}

// down asks for n replicas, without those that are named.
func (s *subject) down(n int, names ...string) error {
	return s.retry(func(ctx context.Context) error { return s.victims.ScaleDown(ctx, n, names) })
}

// begin brings the target to as many replicas as the suite asks for.
func (s *subject) begin() target.Replicas {
	s.Helper()
	s.start(s.h.MaxReplicas)
	return s.agree(s.h.MaxReplicas)
}

// goDown asks for n replicas, without those that are named, and returns what is
// left once there are n.
func (s *subject) goDown(n int, names ...string) []string {
	s.Helper()
	if err := s.down(n, names...); err != nil {
		s.Fatalf("ScaleDown(%d): %v (kind %s), want it accepted", n, err, target.KindOf(err))
	}
	if st := s.current(); st.Requested != n {
		s.Fatalf("ScaleDown(%d) was accepted and Current says %d requested", n, st.Requested)
	}
	return ids(s.agree(n).List)
}

// testNamedOnesGo names the two that would go last.
func testNamedOnesGo(s *subject) {
	before := s.begin()
	n := len(before.List) - 2
	left, named := before.List[:n], before.List[n:]
	if before.Fixed {
		left = before.List[2:]
	}
	got := s.goDown(n, named[1].ID, named[0].ID)
	if want := ids(left); !slices.Equal(got, want) {
		s.Errorf("left are %v of %v, want %v", got, ids(before.List), want)
	}
	time.Sleep(4 * s.h.Poll)
	if again := ids(s.agree(n).List); !slices.Equal(again, got) {
		s.Errorf("left were %v and a moment later %v", got, again)
	}
	// They are replaced by others, not by the ones that went.
	s.start(n + 1)
	s.agree(n + 1)
}

// testSurplusNamesStay names more than are to go: the first does.
func testSurplusNamesStay(s *subject) {
	before := s.begin()
	n := len(before.List) - 1
	gone := before.List[n]
	names := []string{gone.ID, gone.ID, before.List[n-1].ID, before.List[n-2].ID}
	if before.Fixed {
		gone = before.List[0]
	}
	got := s.goDown(n, names...)
	want := slices.DeleteFunc(ids(before.List), func(id string) bool { return id == gone.ID })
	if !slices.Equal(got, want) {
		s.Errorf("left are %v, want %v: all but %s", got, want, gone.ID)
	}
}

// testUnknownNames names one that does not exist, beside one that does: the
// platform chooses the other.
func testUnknownNames(s *subject) {
	before := s.begin()
	last := before.List[len(before.List)-1]
	n := len(before.List) - 2
	got := s.goDown(n, "no-such-replica", last.ID)
	for _, id := range got {
		if !slices.Contains(ids(before.List), id) {
			s.Errorf("replica %s is new", id)
		}
	}
	if slices.Contains(got, last.ID) && !before.Fixed {
		s.Errorf("left are %v, and %s was named", got, last.ID)
	}
}

func testVictimsNoOp(s *subject) {
	s.start(2)
	before := s.agree(2)
	s.wantKind("ScaleDown to the same count", s.down(2, before.List[0].ID), target.KindNoOp)
	if got := s.agree(2); !slices.Equal(ids(got.List), ids(before.List)) {
		s.Errorf("a no-op made %v of %v", ids(got.List), ids(before.List))
	}
	// Asking twice is asking once, whoever is named.
	if err := s.down(1, before.List[0].ID); err != nil {
		s.Fatalf("ScaleDown(1): %v", err)
	}
	s.wantKind("the same request again", s.down(1, before.List[1].ID), target.KindNoOp)
	s.agree(1)
}

func testVictimsNotACount(s *subject) {
	s.start(1)
	s.wantKind("ScaleDown(-1)", s.down(-1), target.KindPermanent)
	s.wantDone(s.h.CallTimeout, context.Canceled, s.canceled, map[string]func(context.Context) error{
		"Replicas":  func(ctx context.Context) error { _, err := s.victims.Replicas(ctx); return err },
		"ScaleDown": func(ctx context.Context) error { return s.victims.ScaleDown(ctx, 0, nil) },
	})
	s.converge(1)
}
