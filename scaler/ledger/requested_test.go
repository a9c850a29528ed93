package ledger

import (
	"testing"
	"time"
)

func TestLastRequested(t *testing.T) {
	type step struct {
		// action is its place among the actions made, or -1 for someone else.
		action int
		state  ActionState
		// accepted: the platform took it before.
		accepted bool
		to       int
	}
	const foreign = -1
	tests := []struct {
		name  string
		steps []step
		want  int
		known bool
	}{
		{"nothing ever", nil, 0, false},
		{"intended counts", []step{{0, Intended, false, 5}}, 5, true},
		{"accepted", []step{{0, Intended, false, 5}, {0, Accepted, true, 5}}, 5, true},
		{"converged", []step{{0, Intended, false, 5}, {0, Accepted, true, 5}, {0, Converged, true, 5}}, 5, true},
		{"to zero", []step{{0, Accepted, true, 5}, {1, Accepted, true, 0}}, 0, true},
		{"did not converge in time", []step{{0, Accepted, true, 5}, {0, Failed, true, 5}}, 5, true},
		{"superseded", []step{{0, Accepted, true, 5}, {0, Superseded, true, 5}}, 5, true},
		{"superseded, found intended", []step{{0, Intended, false, 5}, {0, Superseded, false, 5}}, 5, true},
		{"the first was refused", []step{{0, Intended, false, 5}, {0, Failed, false, 5}}, 0, false},
		{"a later one was refused", []step{{0, Accepted, true, 5}, {1, Intended, false, 9}, {1, Failed, false, 9}}, 5, true},
		{"never applied", []step{{0, Accepted, true, 5}, {1, Intended, false, 9}, {1, NotApplied, false, 9}}, 5, true},
		{"refused, and a new try", []step{
			{0, Accepted, true, 5}, {1, Intended, false, 9}, {1, Failed, false, 9}, {2, Intended, false, 8},
		}, 8, true},
		{"two refused in a row", []step{
			{0, Accepted, true, 5}, {1, Intended, false, 9}, {1, Failed, false, 9}, {2, Intended, false, 8}, {2, Failed, false, 8},
		}, 5, true},
		{"an older action ends later", []step{{0, Accepted, true, 5}, {1, Accepted, true, 7}, {0, Superseded, true, 5}}, 7, true},
		{"an older one proves not applied later", []step{{0, Intended, false, 5}, {1, Accepted, true, 7}, {0, NotApplied, false, 5}}, 7, true},
		{"someone else, first of all", []step{{foreign, "", false, 3}}, 3, true},
		{"someone else changed it", []step{{0, Accepted, true, 5}, {foreign, "", false, 3}, {0, Superseded, true, 5}}, 3, true},
		{"an action after someone else", []step{{foreign, "", false, 3}, {0, Intended, false, 5}}, 5, true},
		{"refused after someone else", []step{{foreign, "", false, 3}, {0, Intended, false, 5}, {0, Failed, false, 5}}, 3, true},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			dir := t.TempDir()
			l := open(t, dir)
			actions := map[int]Action{}
			for _, s := range tc.steps {
				if s.action == foreign {
					if err := l.SetRequested("web", "swarm", s.to, start()); err != nil {
						t.Fatal(err)
					}
					continue
				}
				a, ok := actions[s.action]
				if !ok {
					a = newAction(l, "web", "swarm", s.to, s.state, start())
				}
				a.State = s.state
				if s.accepted {
					a.Accepted = start()
				}
				actions[s.action] = a
				mustCommit(t, l, Record{Actions: []Action{a}})
			}
			// Neighbours whose keys are alike.
			mustCommit(t, l, Record{Actions: []Action{
				newAction(l, "web", "swarm2", 77, Accepted, start()), newAction(l, "webs", "warm", 78, Accepted, start()),
			}})
			if err := l.Close(); err != nil {
				t.Fatal(err)
			}

			got, known, err := open(t, dir).LastRequested("web", "swarm")
			if err != nil {
				t.Fatal(err)
			}
			if got != tc.want || known != tc.known {
				t.Errorf("%d, %t; want %d, %t", got, known, tc.want, tc.known)
			}
		})
	}
}

func TestLastRequestedOutlivesRetention(t *testing.T) {
	l := openWith(t, Options{Path: t.TempDir(), Retention: time.Hour})
	a := newAction(l, "web", "swarm", 5, Converged, start())
	mustCommit(t, l, Record{Actions: []Action{a}})
	if err := l.pruneRecords(start().Add(2*time.Hour), true); err != nil {
		t.Fatal(err)
	}
	as, err := l.Actions(Query{})
	if err != nil {
		t.Fatal(err)
	}
	if len(as) != 0 {
		t.Errorf("the action is still there: %v", as)
	}
	got, known, err := l.LastRequested("web", "swarm")
	if err != nil {
		t.Fatal(err)
	}
	if got != 5 || !known {
		t.Errorf("%d, %t; want 5", got, known)
	}
}

func TestTargetsThatCannotBeKeys(t *testing.T) {
	l := open(t, t.TempDir())
	for _, name := range [][2]string{{"", "swarm"}, {"web", ""}, {"a\x00b", "c"}} {
		if err := l.SetRequested(name[0], name[1], 1, start()); err == nil {
			t.Errorf("SetRequested%q: no error", name)
		}
		if _, _, err := l.LastRequested(name[0], name[1]); err == nil {
			t.Errorf("LastRequested%q: no error", name)
		}
	}
}
