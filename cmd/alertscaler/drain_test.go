package main_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/alertscaler/alertscaler/scaler/policy"
	"github.com/alertscaler/alertscaler/scaler/realtest"
	"github.com/alertscaler/alertscaler/scaler/status"
	"github.com/alertscaler/alertscaler/scaler/target/aws/awstest"
)

// drainer is a hook by HTTP. A replica is done once finish was called.
type drainer struct {
	url string

	mu       sync.Mutex // guards what follows
	finished bool
	// calls are the first of each action and replica, in order.
	calls []string
}

func newDrainer(t *testing.T) *drainer {
	d := &drainer{}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var body struct{ Action, Replica string }
		if err := json.NewDecoder(r.Body).Decode(&body); err != nil {
			t.Error(err)
		}
		d.mu.Lock()
		defer d.mu.Unlock()
		if call := body.Action + " " + body.Replica; !slices.Contains(d.calls, call) {
			d.calls = append(d.calls, call)
		}
		if body.Action == "drain" && !d.finished {
			w.WriteHeader(http.StatusAccepted)
		}
	}))
	t.Cleanup(server.Close)
	d.url = server.URL
	return d
}

// told are the replicas that the hook was called for with an action.
func (d *drainer) told(action string) (out []string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, c := range d.calls {
		if replica, ok := strings.CutPrefix(c, action+" "); ok {
			out = append(out, replica)
		}
	}
	return out
}

func (d *drainer) finish() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.finished = true
}

// drainServer runs a policy of five replicas on a target, with a hook that is
// called for the two that an alert takes.
func drainServer(t *testing.T, platform string, env []string, startAt int) (*server, *drainer) {
	d := newDrainer(t)
	s := startServerBy(t, append([]string{"env"}, env...), realtest.FreePort(t), fmt.Sprintf(`
global: { evaluation_interval: 1s }
policies:
  - name: web
    min: 1
    max: 5
    alert_step: { up: 4, down: 2 }
    scale_up: { cooldown: 1s }
    scale_down: { cooldown: 1s }
    alerts: { block_down: [ 'scale="block"' ] }
    targets:
      - name: only
        drain: { http: { url: %q }, interval: 100ms, timeout: 10m }
        %s
`, d.url, platform))
	if startAt < 5 {
		s.eventually(time.Minute, "the start", "web", replicas(startAt))
		s.fire("up", "web")
		s.eventually(time.Minute, "five replicas", "web", replicas(5))
		s.deliver("resolved", "up", "web")
	}
	s.eventually(time.Minute, "five replicas", "web", replicas(5))
	s.fire("down", "web")
	realtest.Eventually(t, time.Minute, 50*time.Millisecond, "two are drained", func() error {
		if got := d.told("drain"); len(got) != 2 {
			return fmt.Errorf("the hook was called for %v", got)
		}
		return nil
	})
	s.eventually(time.Minute, "they do not count as ready", "web", func(st status.Policy) error {
		if n, ready := counts(st); n != 5 || ready != 3 || len(st.Targets[0].Draining) != 2 {
			return fmt.Errorf("%d of %d are ready, %v are drained", ready, n, st.Targets[0].Draining)
		}
		return nil
	})
	return s, d
}

// testDrainIsGivenBack: an alert that blocks every scale-down comes while the
// two are drained.
func testDrainIsGivenBack(t *testing.T, platform string, env []string, startAt int) {
	s, d := drainServer(t, platform, env, startAt)
	s.fire("block", "web")
	realtest.Eventually(t, time.Minute, 50*time.Millisecond, "both are told that they stay", func() error {
		want, got := d.told("drain"), d.told("cancel")
		slices.Sort(want)
		slices.Sort(got)
		if !slices.Equal(got, want) {
			return fmt.Errorf("%v stay of %v", got, want)
		}
		return nil
	})
	s.eventually(time.Minute, "all serve again", "web", replicas(5))
}

// testWhoGoesIsNotCancelled: the alert is over right after the platform was
// asked to take the two.
func testWhoGoesIsNotCancelled(t *testing.T, platform string, env []string, startAt int) {
	s, d := drainServer(t, platform, env, startAt)
	d.finish()
	s.eventually(time.Minute, "three are wanted", "web", func(st status.Policy) error {
		if n, _ := counts(st); n != 3 {
			return fmt.Errorf("%d are", n)
		}
		return nil
	})
	s.deliver("resolved", "down", "web")
	s.eventually(time.Minute, "nothing fires", "web", func(st status.Policy) error {
		if st.Last.Reason != policy.ReasonNoAlert {
			return fmt.Errorf("%s", st.Explanation)
		}
		return nil
	})
	s.eventually(time.Minute, "three are left", "web", replicas(3))
	if got := d.told("cancel"); got != nil {
		t.Errorf("the hook was told that %v stay, which have gone", got)
	}
	if got := s.metric(`alertscaler_drains_total{policy="web",result="cancelled",target="only"}`); got != "0" {
		t.Errorf("%s drains were cancelled", got)
	}
}

const slowToStop = `process: { command: [sh, -c, 'trap "sleep 2; exit" TERM; while :; do sleep 0.1; done'] }`

func TestDrainOfProcesses(t *testing.T) {
	t.Parallel()
	t.Run("given back", func(t *testing.T) { testDrainIsGivenBack(t, slowToStop, nil, 1) })
	t.Run("gone", func(t *testing.T) { testWhoGoesIsNotCancelled(t, slowToStop, nil, 1) })
}

func TestDrainOfInstances(t *testing.T) {
	t.Parallel()
	group := func(t *testing.T) string {
		s, conn := startAWS(t)
		s.AddGroup(awstest.Group{Name: "web", Max: 10, Desired: 5, Boot: cloudBoot, Stop: 3 * time.Second})
		return "aws_asg: { name: web, " + conn + " }"
	}
	t.Run("given back", func(t *testing.T) { testDrainIsGivenBack(t, group(t), awsKeys, 5) })
	t.Run("gone", func(t *testing.T) { testWhoGoesIsNotCancelled(t, group(t), awsKeys, 5) })
}
