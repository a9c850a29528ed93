package targettest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/alertscaler/alertscaler/scaler/target"
)

// testVictims tests what a platform promises that can tell its replicas apart.
func testVictims(t *testing.T, h Harness) {
	told := false
	h.bubble(t, func(t *testing.T) {
		v, ok := h.victims(t, h.New(t))
		if told = ok; told {
			v.start(2)
			v.agree(2)
		}
	})
	if !told {
		t.Skip("the platform's replicas cannot be told apart")
	}
	for _, test := range []struct {
		name string
		run  func(*victims)
	}{
		{"NamedOnesGo", testNamedOnesGo},
		{"SurplusNamesStay", testSurplusNamesStay},
		{"UnknownNames", testUnknownNames},
		{"SameCountIsNoOp", testVictimsNoOp},
		{"NotACount", testVictimsNotACount},
	} {
		h.run(t, test.name, func(t *testing.T) {
			h.bubble(t, func(t *testing.T) {
				v, _ := h.victims(t, h.New(t))
				test.run(v)
			})
		})
	}
	for _, test := range []struct {
		name string
		open func(*testing.T) target.Target
		want target.Kind
	}{
		{"Missing", h.Missing, target.KindNotFound},
		{"Forbidden", h.Forbidden, target.KindUnauthorized},
		{"Unreachable", h.Unreachable, target.KindTemporary},
	} {
		if test.open == nil {
			continue
		}
		h.run(t, test.name, func(t *testing.T) {
			h.bubble(t, func(t *testing.T) {
				v, _ := h.victims(t, test.open(t))
				list, err := v.Replicas(t.Context())
				wantKind(t, "Replicas", err, test.want)
				if len(list.List) > 0 {
					t.Errorf("Replicas = %+v beside an error: nobody read them", list)
				}
				wantKind(t, "ScaleDown", v.down(1), test.want)
			})
		})
	}
}

// victims is a target under test whose replicas can be told apart.
type victims struct {
	*subject
	target.Victims
}

func (h Harness) victims(t *testing.T, tgt target.Target) (*victims, bool) {
	t.Helper()
	s := h.open(t, tgt)
	v, ok := tgt.(target.Victims)
	return &victims{subject: s, Victims: v}, ok
}

// list reads the replicas; an error fails the test, and so does what no
// platform may say.
func (v *victims) list() target.Replicas {
	v.t.Helper()
	ctx, cancel := v.context()
	defer cancel()
	all, err := v.Replicas(ctx)
	if err != nil {
		v.t.Fatalf("Replicas: %v (kind %s)", err, target.KindOf(err))
	}
	if all.Label == "" {
		v.t.Error("Replicas: no label, want the one that series have of this platform")
	}
	// Whoever has a name or an alias in a series must be one replica.
	seen := make(map[string]string)
	for _, r := range all.List {
		if r.ID == "" || r.Name == "" {
			v.t.Errorf("Replicas: %+v, want an ID and a name", r)
		}
		for _, name := range append([]string{r.ID, r.Name}, r.Aliases...) {
			if other, ok := seen[name]; ok && other != r.ID {
				v.t.Errorf("Replicas: both %s and %s are called %q", other, r.ID, name)
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
func (v *victims) agree(n int) target.Replicas {
	v.t.Helper()
	var first target.Replicas
	v.eventually(fmt.Sprintf("Replicas has %d that are ready, as Current has", n), func() error {
		first = v.list()
		notReady := slices.ContainsFunc(first.List, func(r target.Replica) bool { return !r.Ready })
		if st := v.current(); st.Requested != n || st.Ready != n || len(ids(first.List)) != n || notReady {
			return fmt.Errorf("they are %+v and %+v", first.List, st)
		}
		return nil
	})
	for range 3 {
		if again := v.list(); !slices.Equal(ids(again.List), ids(first.List)) || again.Fixed != first.Fixed {
			v.t.Fatalf("Replicas = %+v after %+v, with no request between", again, first)
		}
	}
	if st := v.current(); st.Requested != n || st.Ready != n {
		v.t.Fatalf("Current = %+v after nothing but reads, want %d", st, n)
	}
	return first
}

func (v *victims) eventually(what string, check func() error) {
	v.t.Helper()
	var err error
	for end := time.Now().Add(v.h.Converge); time.Now().Before(end); time.Sleep(v.h.Poll) {
		if err = check(); err == nil {
			return
		}
	}
	v.t.Fatalf("%s: not within %v: %v", what, v.h.Converge, err)
}

// down asks for n replicas, without those that are named.
func (v *victims) down(n int, names ...string) error {
	var err error
	// A conflict says: read again and retry, bounded. The engine does.
	for range 10 {
		ctx, cancel := v.context()
		err = v.ScaleDown(ctx, n, names)
		cancel()
		if target.KindOf(err) != target.KindConflict {
			return err
		}
		time.Sleep(v.h.Poll)
	}
	return err
}

// begin brings the target to as many replicas as the suite asks for.
func (v *victims) begin() target.Replicas {
	v.t.Helper()
	v.start(v.h.MaxReplicas)
	return v.agree(v.h.MaxReplicas)
}

// wentDown fails the test where the request was not accepted, and returns what
// is left once n are.
func (v *victims) wentDown(err error, n int) []string {
	v.t.Helper()
	if err != nil {
		v.t.Fatalf("ScaleDown(%d): %v (kind %s), want it accepted", n, err, target.KindOf(err))
	}
	if st := v.current(); st.Requested != n {
		v.t.Fatalf("ScaleDown(%d) was accepted and Current says %d requested", n, st.Requested)
	}
	return ids(v.agree(n).List)
}

// testNamedOnesGo names the two that would go last.
func testNamedOnesGo(v *victims) {
	before := v.begin()
	n := len(before.List) - 2
	left, named := before.List[:n], before.List[n:]
	if before.Fixed {
		left = before.List[2:]
	}
	got := v.wentDown(v.down(n, named[1].ID, named[0].ID), n)
	if want := ids(left); !slices.Equal(got, want) {
		v.t.Errorf("left are %v of %v, want %v", got, ids(before.List), want)
	}
	time.Sleep(4 * v.h.Poll)
	if again := ids(v.agree(n).List); !slices.Equal(again, got) {
		v.t.Errorf("left were %v and a moment later %v", got, again)
	}
	// They are replaced by others, not by the ones that went.
	v.start(n + 1)
	v.agree(n + 1)
}

// testSurplusNamesStay names more than are to go: the first does.
func testSurplusNamesStay(v *victims) {
	before := v.begin()
	n := len(before.List) - 1
	gone := before.List[n]
	names := []string{gone.ID, gone.ID, before.List[n-1].ID, before.List[n-2].ID}
	if before.Fixed {
		gone = before.List[0]
	}
	got := v.wentDown(v.down(n, names...), n)
	want := slices.DeleteFunc(ids(before.List), func(id string) bool { return id == gone.ID })
	if !slices.Equal(got, want) {
		v.t.Errorf("left are %v, want %v: all but %s", got, want, gone.ID)
	}
}

// testUnknownNames names one that does not exist, beside one that does: the
// platform chooses the other.
func testUnknownNames(v *victims) {
	before := v.begin()
	last := before.List[len(before.List)-1]
	n := len(before.List) - 2
	got := v.wentDown(v.down(n, "no-such-replica", last.ID), n)
	for _, id := range got {
		if !slices.Contains(ids(before.List), id) {
			v.t.Errorf("replica %s is new", id)
		}
	}
	if slices.Contains(got, last.ID) && !before.Fixed {
		v.t.Errorf("left are %v, and %s was named", got, last.ID)
	}
}

func testVictimsNoOp(v *victims) {
	v.start(2)
	before := v.agree(2)
	wantKind(v.t, "ScaleDown to the same count", v.down(2, before.List[0].ID), target.KindNoOp)
	if got := v.agree(2); !slices.Equal(ids(got.List), ids(before.List)) {
		v.t.Errorf("a no-op made %v of %v", ids(got.List), ids(before.List))
	}
	// Asking twice is asking once, whoever is named.
	if err := v.down(1, before.List[0].ID); err != nil {
		v.t.Fatalf("ScaleDown(1): %v", err)
	}
	wantKind(v.t, "the same request again", v.down(1, before.List[1].ID), target.KindNoOp)
	v.agree(1)
}

func testVictimsNotACount(v *victims) {
	v.start(1)
	wantKind(v.t, "ScaleDown(-1)", v.down(-1), target.KindPermanent)
	ctx, cancel := context.WithCancel(v.t.Context())
	cancel()
	_, err := v.Replicas(ctx)
	for name, err := range map[string]error{"Replicas": err, "ScaleDown": v.ScaleDown(ctx, 0, nil)} {
		if !errors.Is(err, context.Canceled) {
			v.t.Errorf("%s: %v, want %v in the chain", name, err, context.Canceled)
		}
		wantKind(v.t, name, err, target.KindTemporary)
	}
	v.converge(1)
}
