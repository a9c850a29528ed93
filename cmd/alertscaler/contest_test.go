package main_test

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/alertscaler/alertscaler/scaler/policy"
	"github.com/alertscaler/alertscaler/scaler/realtest"
	"github.com/alertscaler/alertscaler/scaler/status"
	"github.com/alertscaler/alertscaler/scaler/target/aws/awstest"
)

// groupPolicy is a policy of the group "web" whose bounds a test chooses.
func groupPolicy(conn string, lowest, highest int) string {
	return fmt.Sprintf(`
global: { evaluation_interval: 500ms }
policies:
  - name: web
    min: %d
    max: %d
    scale_up: { cooldown: 1s }
    scale_down: { cooldown: 1s }
    targets: [ { name: only, aws_asg: { name: web, %s } } ]
`, lowest, highest, conn)
}

// TestTwoServersWithOtherBounds: what one raises to its minimum the other
// lowers to its maximum, until one gives way and says so; an operator has it
// try again.
func TestTwoServersWithOtherBounds(t *testing.T) {
	t.Parallel()
	aws, conn := startAWS(t)
	aws.AddGroup(awstest.Group{Name: "web", Max: 10, Desired: 4, Boot: time.Millisecond, Stop: time.Millisecond})
	by := append([]string{"env"}, awsKeys...)
	small := startServerBy(t, by, realtest.FreePort(t), groupPolicy(conn, 1, 3), "--web.enable-admin-api")
	large := startServerBy(t, by, realtest.FreePort(t), groupPolicy(conn, 5, 8), "--web.enable-admin-api")
	var held *server
	realtest.Eventually(t, 5*time.Minute, 100*time.Millisecond, "one of them is held", func() error {
		for _, s := range []*server{small, large} {
			if st := s.policy("web"); st.Contest != nil && st.Last.Reason == policy.ReasonContested {
				held = s
				return nil
			}
		}
		return errors.New("none is")
	})
	st := held.policy("web")
	for _, want := range []string{"someone else took back 3 times within", "of only", "scalertool retry"} {
		if !strings.Contains(st.Explanation, want) {
			t.Errorf("explains %q, want %q in it", st.Explanation, want)
		}
	}
	if got := held.metric(`alertscaler_policy_contested{policy="web"}`); got != "1" {
		t.Errorf("alertscaler_policy_contested is %s", got)
	}
	// The other one is content, or held as well.
	realtest.Eventually(t, time.Minute, 100*time.Millisecond, "it is over", func() error {
		for _, s := range []*server{small, large} {
			if st := s.policy("web"); st.Last.Reason != policy.ReasonContested && st.Last.Reason != policy.ReasonNoAlert {
				return fmt.Errorf("%s", st.Explanation)
			}
		}
		return nil
	})
	calls := len(askedOfGroup(aws, "web"))
	if calls > 8 {
		t.Errorf("the group was asked %d times: %v", calls, askedOfGroup(aws, "web"))
	}
	if code, text := held.post("/api/v1/policies/web/retry", ""); code != http.StatusOK || !strings.Contains(text, `{"held":true}`) {
		t.Fatalf("retry: %d %s", code, text)
	}
	realtest.Eventually(t, time.Minute, 100*time.Millisecond, "it tries again", func() error {
		if n := len(askedOfGroup(aws, "web")); n <= calls {
			return fmt.Errorf("the group was asked %d times as before", n)
		}
		return nil
	})
}

// TestSuspendedTerminateLeavesTheWayUp: an Auto Scaling group that may not
// terminate instances takes more of them all the same.
func TestSuspendedTerminateLeavesTheWayUp(t *testing.T) {
	t.Parallel()
	aws, conn := startAWS(t)
	aws.AddGroup(awstest.Group{Name: "web", Max: 10, Desired: 4, Boot: time.Millisecond, Stop: time.Millisecond, Suspended: []string{"Terminate"}})
	s := startServerBy(t, append([]string{"env"}, awsKeys...), realtest.FreePort(t), groupPolicy(conn, 1, 10), "--web.enable-admin-api")
	s.fire("down", "web")
	s.eventually(time.Minute, "down is refused for minutes", "web", func(st status.Policy) error {
		if d := st.Targets[0]; time.Until(d.BackoffDownUntil) < 4*time.Minute || !d.BackoffUpUntil.IsZero() {
			return fmt.Errorf("%+v: %s", d, st.Explanation)
		}
		return nil
	})
	s.fire("up", "web")
	s.eventually(time.Minute, "up is taken", "web", atLeast(5))
	s.deliver("resolved", "up", "web")
	s.eventually(time.Minute, "down is still refused", "web", func(st status.Policy) error {
		if st.Last.Reason != policy.ReasonTargetBackoff {
			return errors.New(st.Explanation)
		}
		return nil
	})
	aws.ChangeGroup("web", func(g *awstest.Group) { g.Suspended = nil })
	before, _ := counts(s.policy("web"))
	if code, text := s.post("/api/v1/policies/web/retry", ""); code != http.StatusOK || !strings.Contains(text, `{"held":true}`) {
		t.Fatalf("retry: %d %s", code, text)
	}
	s.eventually(time.Minute, "down is taken at once", "web", func(st status.Policy) error {
		if n, _ := counts(st); n >= before {
			return fmt.Errorf("%d are left of %d: %s", n, before, st.Explanation)
		}
		return nil
	})
}
