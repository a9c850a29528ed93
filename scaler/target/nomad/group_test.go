package nomad

import (
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/alertscaler/alertscaler/scaler/target"
	"github.com/alertscaler/alertscaler/scaler/target/nomad/nomadtest"
)

func TestReady(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name   string
		change func(*nomadtest.Job)
		want   target.State
	}{
		{"healthy", func(*nomadtest.Job) {}, target.State{Requested: 2, Ready: 2}},
		{"starting", func(j *nomadtest.Job) { j.StartDelay = time.Hour }, target.State{Requested: 2}},
		{"batch", func(j *nomadtest.Job) { j.Type = "batch" }, target.State{Requested: 2, Ready: 2}},
		{"health by hand", func(j *nomadtest.Job) { j.HealthCheck = "manual" }, target.State{Requested: 2, Ready: 2}},
		{"bounds", func(j *nomadtest.Job) { j.Scaling = &nomadtest.Scaling{Min: 1, Max: 9} }, target.State{Requested: 2, Ready: 2, Min: 1, Max: 9}},
		{"none", func(j *nomadtest.Job) { j.Count = 0 }, target.State{}},
	} {
		j := web()
		test.change(&j)
		_, address := agent(t, j)
		got, err := at(t, address).Current(t.Context())
		if since := time.Since(got.LastChange); since < 0 || since > time.Minute {
			t.Errorf("%s: last change at %v", test.name, got.LastChange)
		}
		got.LastChange = time.Time{}
		if err != nil || got != test.want {
			t.Errorf("%s: %+v, %v, want %+v", test.name, got, err, test.want)
		}
	}
}

func TestScaleSaysWhoAndWhy(t *testing.T) {
	t.Parallel()
	s, address := agent(t, web())
	tgt := at(t, address)
	for _, n := range []int{5, 5, 3} {
		if err := tgt.Scale(t.Context(), n); err != nil && target.KindOf(err) != target.KindNoOp {
			t.Fatal(err)
		}
	}
	want := []nomadtest.Event{
		{Job: "shop/web", Group: "frontend", Count: 5, Previous: 2, Message: "alertscaler: policy shop, target east: 2 to 5"},
		{Job: "shop/web", Group: "frontend", Count: 3, Previous: 5, Message: "alertscaler: policy shop, target east: 5 to 3"},
	}
	if diff := cmp.Diff(want, s.Events()); diff != "" {
		t.Error(diff)
	}
}

func TestRefusals(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name   string
		change func(*nomadtest.Job)
		want   target.Kind
		says   string
	}{
		{"another group", func(j *nomadtest.Job) { j.Group = "backend" }, target.KindNotFound, "it has: backend"},
		{"stopped", func(j *nomadtest.Job) { j.Stopped = true }, target.KindNotFound, "is stopped"},
		{"system job", func(j *nomadtest.Job) { j.Type = "system" }, target.KindPermanent, "a system job runs once"},
		{"below the minimum", func(j *nomadtest.Job) { j.Count, j.Scaling = 7, &nomadtest.Scaling{Min: 6, Max: 9} }, target.KindPermanent, "less than scaling policy minimum"},
		{"above the maximum", func(j *nomadtest.Job) { j.Scaling = &nomadtest.Scaling{Max: 3} }, target.KindQuota, "greater than scaling policy maximum"},
	} {
		j := web()
		test.change(&j)
		s, address := agent(t, j)
		err := at(t, address).Scale(t.Context(), 5)
		if target.KindOf(err) != test.want || !strings.Contains(err.Error(), test.says) || len(s.Events()) > 0 {
			t.Errorf("%s: %v (kind %q), want kind %q and %q", test.name, err, target.KindOf(err), test.want, test.says)
		}
	}
}

// TestDeploymentBlocks: while allocations are deployed Nomad scales nothing,
// and afterwards it does.
func TestDeploymentBlocks(t *testing.T) {
	t.Parallel()
	j := web()
	j.Deployments, j.StartDelay = true, 500*time.Millisecond
	_, address := agent(t, j)
	tgt := at(t, address)
	err := tgt.Scale(t.Context(), 5)
	if target.KindOf(err) != target.KindConflict || !strings.Contains(err.Error(), "active deployment") {
		t.Errorf("during a deployment: %v (kind %q)", err, target.KindOf(err))
	}
	for end := time.Now().Add(10 * time.Second); err != nil && time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
		err = tgt.Scale(t.Context(), 5)
	}
	if err != nil {
		t.Errorf("after a deployment: %v", err)
	}
}

// TestChangedMeanwhile has someone else scale between our reading and our
// asking.
func TestChangedMeanwhile(t *testing.T) {
	t.Parallel()
	var s nomadtest.Server
	s.Register(web())
	var once sync.Once
	address := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPut {
			once.Do(func() { s.SetCount("default", "shop/web", 7) })
		}
		s.ServeHTTP(w, r)
	}))
	tgt := at(t, address)
	err := tgt.Scale(t.Context(), 3)
	if target.KindOf(err) != target.KindConflict || len(s.Events()) > 0 {
		t.Errorf("%v (kind %q), want a conflict and nothing scaled", err, target.KindOf(err))
	}
	if st, err := tgt.Current(t.Context()); err != nil || st.Requested != 7 {
		t.Errorf("Current: %+v, %v, want the 7 of someone else", st, err)
	}
}

func TestToken(t *testing.T) {
	t.Parallel()
	s, address := agent(t, web())
	s.Token = "good"
	file := filepath.Join(t.TempDir(), "token")
	cfg := &Config{Address: address, TokenFile: "token", Job: "shop/web", Group: "frontend"}
	cfg.SetDirectory(filepath.Dir(file))
	tgt := build(t, cfg)
	// The file is read each time: it is renewed while the server runs.
	for _, step := range []struct {
		content string
		want    target.Kind
	}{{"", target.KindTemporary}, {"bad\n", target.KindUnauthorized}, {"good\n", ""}} {
		if step.content != "" {
			if err := os.WriteFile(file, []byte(step.content), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := tgt.Current(t.Context()); target.KindOf(err) != step.want {
			t.Errorf("token %q: %v (kind %q), want kind %q", step.content, err, target.KindOf(err), step.want)
		}
	}
}

// TestNoRoom asks for more than finds a node.
func TestNoRoom(t *testing.T) {
	t.Parallel()
	j := web()
	j.Room = 3
	s, address := agent(t, j)
	tgt := at(t, address)
	read := func() target.State {
		t.Helper()
		st, err := tgt.Current(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return st
	}
	if st := read(); st.Failed != nil {
		t.Errorf("with room for all: %v", st.Failed)
	}
	if err := tgt.Scale(t.Context(), 5); err != nil {
		t.Fatal(err)
	}
	st := read()
	if st.Requested != 5 || st.Ready != 3 || target.KindOf(st.Failed) != target.KindQuota ||
		!strings.Contains(st.Failed.Error(), "2 have not enough of memory") {
		t.Errorf("with room for 3 of 5: %+v, want the quota and what there is not enough of", st)
	}
	// What was blocked before does not speak against another number.
	if err := tgt.Scale(t.Context(), 3); err != nil {
		t.Fatal(err)
	}
	if st := read(); st.Failed != nil {
		t.Errorf("once 3 are asked for: %v", st.Failed)
	}
	j.Room = 0
	s.Register(j)
	if err := tgt.Scale(t.Context(), 5); err != nil {
		t.Fatal(err)
	}
	if st := read(); st.Ready != 5 || st.Failed != nil {
		t.Errorf("once there is room: %+v", st)
	}
}
