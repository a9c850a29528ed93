package aws

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/alertscaler/alertscaler/scaler/target"
	"github.com/alertscaler/alertscaler/scaler/target/aws/awstest"
)

// TestASGState: what counts as requested and as ready.
func TestASGState(t *testing.T) {
	t.Parallel()
	all := func(change func(*awstest.Instance)) func(*awstest.Server) {
		return func(s *awstest.Server) { s.ChangeInstance("web", s.Instances("web")[0].ID, change) }
	}
	state := func(name string) func(*awstest.Server) {
		return all(func(i *awstest.Instance) { i.State = name })
	}
	for _, test := range []struct {
		name   string
		group  func(*awstest.Group)
		change func(*awstest.Server)
		want   target.State
	}{
		{"in service", nil, nil, target.State{Requested: 2, Ready: 2, Max: 10}},
		{"none", func(g *awstest.Group) { g.Desired = 0 }, nil, target.State{Max: 10}},
		{"bounds", func(g *awstest.Group) { g.Min, g.Max = 1, 3 }, nil, target.State{Requested: 2, Ready: 2, Min: 1, Max: 3}},
		{"unhealthy", nil, all(func(i *awstest.Instance) { i.Health = "Unhealthy" }), target.State{Requested: 2, Ready: 1, Max: 10}},
		{"pending", nil, state("Pending:Wait"), target.State{Requested: 2, Ready: 1, Max: 10}},
		{"terminating", nil, state("Terminating:Wait"), target.State{Requested: 2, Ready: 1, Max: 10}},
		{"standby", nil, state("Standby"), target.State{Requested: 2, Ready: 1, Max: 10}},
		{"warm", nil, state("Warmed:Stopped"), target.State{Requested: 2, Ready: 1, Max: 10}},
		{"protected", nil, all(func(i *awstest.Instance) { i.Protected = true }), target.State{Requested: 2, Ready: 2, Min: 1, Max: 10}},
		{"weights", func(g *awstest.Group) { g.Desired, g.Weight = 8, 4 }, nil, target.State{Requested: 8, Ready: 8, Max: 10}},
	} {
		s, conn := serveRegion(t)
		g := web()
		if test.group != nil {
			test.group(&g)
		}
		s.AddGroup(g)
		// Nobody makes up for what is changed.
		s.ChangeGroup("web", func(g *awstest.Group) { g.Suspended = []string{"Launch"} })
		if test.change != nil {
			test.change(s)
		}
		got, err := asg(t, conn).Current(t.Context())
		if err != nil || got != test.want {
			t.Errorf("%s: %+v, %v, want %+v", test.name, got, err, test.want)
		}
	}
}

// TestASGRefusals: what is refused is told why, and nothing is changed.
func TestASGRefusals(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name   string
		change func(*awstest.Group)
		to     int
		allow  bool
		want   target.Kind
		says   string
	}{
		{"above the maximum", func(g *awstest.Group) { g.Max = 3 }, 4, false, target.KindQuota, "maximum size is 3"},
		{"below the minimum", func(g *awstest.Group) { g.Min = 2 }, 1, false, target.KindPermanent, "minimum size is 2"},
		{"launch suspended", func(g *awstest.Group) { g.Suspended = []string{"Launch"} }, 4, false, target.KindPermanent, "process Launch is suspended"},
		{"launch suspended, down", func(g *awstest.Group) { g.Suspended = []string{"Launch", "AZRebalance"} }, 1, false, "", ""},
		{"terminate suspended", func(g *awstest.Group) { g.Suspended = []string{"Terminate"} }, 1, false, target.KindPermanent, "process Terminate is suspended"},
		{"refresh, down", func(g *awstest.Group) { g.Refresh = "InProgress" }, 1, false, target.KindConflict, "instance refresh"},
		{"refresh, up", func(g *awstest.Group) { g.Refresh = "InProgress" }, 3, false, "", ""},
		{"refresh is over", func(g *awstest.Group) { g.Refresh = "Successful" }, 1, false, "", ""},
		{"protected", func(g *awstest.Group) { g.Protect = true }, 1, false, target.KindPermanent, "2 of its instances are protected"},
		{"operator", func(g *awstest.Group) { g.Operator = "ecs.amazonaws.com" }, 3, true, target.KindPermanent, "managed by ecs.amazonaws.com"},
		{"policy", func(g *awstest.Group) { g.Policies = []awstest.Policy{{Name: "cpu", Type: "TargetTrackingScaling"}} }, 3, false, target.KindPermanent, "scaling policy cpu"},
		{"policy, allowed", func(g *awstest.Group) { g.Policies = []awstest.Policy{{Name: "cpu", Type: "TargetTrackingScaling"}} }, 3, true, "", ""},
		{"policy, disabled", func(g *awstest.Group) {
			g.Policies = []awstest.Policy{{Name: "cpu", Type: "StepScaling", Disabled: true}}
		}, 3, false, "", ""},
		{"forecasts alone", func(g *awstest.Group) {
			g.Policies = []awstest.Policy{{Name: "day", Type: "PredictiveScaling", Mode: "ForecastOnly"}}
		}, 3, false, "", ""},
		{"forecasts that scale", func(g *awstest.Group) {
			g.Policies = []awstest.Policy{{Name: "a", Type: "PredictiveScaling", Mode: "ForecastOnly"}, {Name: "day", Type: "PredictiveScaling", Mode: "ForecastAndScale"}}
		}, 3, false, target.KindPermanent, "scaling policy day"},
		{"policy, with an empty forecast", func(g *awstest.Group) {
			g.Policies = []awstest.Policy{{Name: "cpu", Type: "TargetTrackingScaling", Empty: true}}
		}, 3, false, target.KindPermanent, "scaling policy cpu (TargetTrackingScaling) sets its size"},
		{"steps, with an empty forecast", func(g *awstest.Group) {
			g.Policies = []awstest.Policy{{Name: "cpu", Type: "StepScaling", Empty: true}}
		}, 3, false, target.KindPermanent, "scaling policy cpu (StepScaling) sets its size"},
		{"policy without a type", func(g *awstest.Group) {
			g.Policies = []awstest.Policy{{Name: "old", Empty: true}}
		}, 3, false, target.KindPermanent, "scaling policy old (SimpleScaling) sets its size"},
		{"forecasts without a mode", func(g *awstest.Group) {
			g.Policies = []awstest.Policy{{Name: "day", Type: "PredictiveScaling", Empty: true}, {Name: "night", Type: "PredictiveScaling"}}
		}, 3, false, "", ""},
		{"cluster autoscaler", func(g *awstest.Group) { g.Tags = map[string]string{kubernetesAutoscaler: "true"} }, 3, false, target.KindPermanent, "cluster autoscaler"},
		{"being deleted", func(g *awstest.Group) { g.Status = "Delete in progress" }, 3, false, target.KindNotFound, "Delete in progress"},
	} {
		s, conn := serveRegion(t)
		s.PageSize = 1
		s.AddGroup(func() awstest.Group {
			g := web()
			g.Protect = test.name == "protected"
			return g
		}())
		s.ChangeGroup("web", test.change)
		tgt := build(t, &ASGConfig{Connection: conn, Name: "web", AllowOtherOwners: test.allow}).(*asgTarget)
		err := tgt.Scale(t.Context(), test.to)
		wantKind(t, test.name, err, test.want, test.says)
		if n := len(s.Calls("SetDesiredCapacity")); (err == nil) != (n == 1) {
			t.Errorf("%s: %d requests", test.name, n)
		}
		if err != nil && test.to < 2 {
			wantKind(t, test.name+", with victims", tgt.ScaleDown(t.Context(), test.to, []string{s.Instances("web")[0].ID}), test.want, test.says)
		}
	}
}

// TestASGBoundsChangedMeanwhile has the bounds changed, and the group deleted,
// between our reading and our asking: AWS calls both a ValidationError.
func TestASGBoundsChangedMeanwhile(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		meanwhile func(*awstest.Server)
		want      target.Kind
		says      string
	}{
		"bounds":  {func(s *awstest.Server) { s.ChangeGroup("web", func(g *awstest.Group) { g.Max = 3 }) }, target.KindQuota, "maximum size is 3"},
		"deleted": {func(s *awstest.Server) { s.DeleteGroup("web") }, target.KindNotFound, "no Auto Scaling group"},
	} {
		s, conn := serveRegion(t)
		s.AddGroup(web())
		s.Fail(func(c awstest.Call) *awstest.Fault {
			if c.Action == "SetDesiredCapacity" {
				test.meanwhile(s)
			}
			return nil
		})
		wantKind(t, name, asg(t, conn).Scale(t.Context(), 4), test.want, test.says)
	}
}

// TestASGNoCapacity: a launch that fails is the failure of the request, until
// there is another request or there are instances.
func TestASGNoCapacity(t *testing.T) {
	t.Parallel()
	for complaint, want := range map[string]target.Kind{
		"": target.KindQuota,
		"There is no Spot capacity available that matches your request. Launching EC2 instance failed.": target.KindQuota,
		"You have requested more vCPU capacity than your current vCPU limit of 32 allows.":              target.KindQuota,
		"Insufficient capacity.":                           target.KindQuota,
		"InsufficientInstanceCapacity - none of t3.large.": target.KindQuota,
		"There are not enough free addresses in subnet 'subnet-1' to satisfy the requested number of instances.": target.KindQuota,
		"20 instance(s) are already running. Launching EC2 instance failed.":                                     target.KindQuota,
		"UnauthorizedOperation: an SCP denies it, whatever the capacity.":                                        target.KindUnauthorized,
		"Something that nobody has read yet. Launching EC2 instance failed.":                                     target.KindPermanent,
		"The security group 'sg-1' does not exist in VPC 'vpc-1'. Launching EC2 instance failed.":                target.KindPermanent,
		"You are not authorized to perform this operation. Launching EC2 instance failed.":                       target.KindUnauthorized,
		"The requested configuration is currently not supported. Please check the documentation.":                target.KindPermanent,
	} {
		t.Run(complaint, func(t *testing.T) {
			virtual(t, func(t *testing.T) {
				s, conn := serveRegion(t)
				g := web()
				g.Room, g.Complaint = 3, complaint
				s.AddGroup(g)
				tgt := asg(t, conn)
				if err := tgt.Scale(t.Context(), 5); err != nil {
					t.Fatal(err)
				}
				eventually(t, "it says that it failed", func() error {
					st, err := tgt.Current(t.Context())
					if err != nil || st.Failed == nil {
						return fmt.Errorf("%+v, %w", st, err)
					}
					wantKind(t, "Failed", st.Failed, want, "launch instances of group web")
					if st.Requested != 5 || st.Ready > 3 {
						t.Errorf("%+v", st)
					}
					return nil
				})
				// Another number is another request.
				if err := tgt.Scale(t.Context(), 3); err != nil {
					t.Fatal(err)
				}
				if st, err := tgt.Current(t.Context()); err != nil || st.Failed != nil {
					t.Errorf("after another request: %+v, %v", st, err)
				}
			})
		})
	}
}

// TestASGFailureOfOthers: what failed before our request, or is someone
// else's, is none of ours.
func TestASGFailureOfOthers(t *testing.T) {
	t.Parallel()
	s, conn := serveRegion(t)
	g := web()
	g.Room = 3
	s.AddGroup(g)
	s.ChangeGroup("web", func(g *awstest.Group) { g.Desired = 5 })
	tgt := asg(t, conn)
	if st, err := tgt.Current(t.Context()); err != nil || st.Failed != nil {
		t.Errorf("without a request of ours: %+v, %v", st, err)
	}
	if n := len(s.Calls("DescribeScalingActivities")); n != 0 {
		t.Errorf("the activities were read %d times", n)
	}
}

// TestASGLag: AWS shows an accepted number some time later.
func TestASGLag(t *testing.T) {
	virtual(t, testASGLag)
}

func testASGLag(t *testing.T) {
	s, conn := serveRegion(t)
	s.Lag = time.Second
	s.AddGroup(web())
	tgt := asg(t, conn)
	if err := tgt.Scale(t.Context(), 4); err != nil {
		t.Fatal(err)
	}
	if st, err := tgt.Current(t.Context()); err != nil || st.Requested != 2 {
		t.Errorf("right after: %+v, %v, want what AWS shows", st, err)
	}
	// Back to what is still shown is no no-op.
	if err := tgt.Scale(t.Context(), 2); err != nil {
		t.Errorf("back again: %v", err)
	}
	// Another number than the first, which may be shown in between.
	if err := tgt.Scale(t.Context(), 5); err != nil {
		t.Errorf("once more: %v", err)
	}
	// From a number of the past too many would go.
	err := tgt.ScaleDown(t.Context(), 1, nil)
	wantKind(t, "ScaleDown", err, target.KindConflict, "does not show the last request yet")
	eventually(t, "it shows", func() error {
		if st, err := tgt.Current(t.Context()); err != nil || st.Requested != 5 || st.Ready != 5 {
			return fmt.Errorf("%+v, %w", st, err)
		}
		return nil
	})
	wantKind(t, "the same again", tgt.Scale(t.Context(), 5), target.KindNoOp, "already")
}

// TestASGTheSameAgain: someone else sets another number right after a request,
// and the request is made again.
func TestASGTheSameAgain(t *testing.T) {
	virtual(t, func(t *testing.T) {
		s, conn := serveRegion(t)
		s.AddGroup(web())
		tgt, other := asg(t, conn), asg(t, conn)
		for _, by := range []struct {
			target  target.Target
			desired int
		}{{tgt, 4}, {other, 3}, {tgt, 4}} {
			if err := by.target.Scale(t.Context(), by.desired); err != nil {
				t.Fatalf("scale to %d: %v", by.desired, err)
			}
		}
		if n := len(s.Calls("SetDesiredCapacity")); n != 3 {
			t.Errorf("%d requests, want three", n)
		}
		if st, err := tgt.Current(t.Context()); err != nil || st.Requested != 4 {
			t.Errorf("%+v, %v, want 4 requested", st, err)
		}
	})
}

// TestASGVictims: how instances are listed, and what becomes of a scale-down
// that fails half way.
func TestASGVictims(t *testing.T) {
	t.Parallel()
	s, conn := serveRegion(t)
	g := web()
	g.Desired = 6
	s.AddGroup(g)
	is := s.Instances("web")
	s.ChangeInstance("web", is[0].ID, func(i *awstest.Instance) { i.Protected = true })
	s.ChangeInstance("web", is[1].ID, func(i *awstest.Instance) { i.Health = "Unhealthy" })
	tgt := asg(t, conn)
	rs, err := tgt.Replicas(t.Context())
	if err != nil || rs.Kept != 1 || len(rs.List) != 5 || rs.List[0].ID != is[1].ID || rs.List[0].Ready || rs.Label != "instance_id" {
		t.Fatalf("%+v, %v", rs, err)
	}
	// The protected one is named first, and stays.
	s.Fail(func(c awstest.Call) *awstest.Fault {
		if c.Form.Get("InstanceId") == is[3].ID {
			return &awstest.Fault{Status: 400, Code: "Throttling", Message: "Rate exceeded"}
		}
		return nil
	})
	err = tgt.ScaleDown(t.Context(), 3, []string{is[0].ID, is[2].ID, is[3].ID, is[4].ID})
	wantKind(t, "half way", err, target.KindConflict, "1 of 3 instances went")
	st, err := tgt.Current(t.Context())
	if err != nil || st.Requested != 5 {
		t.Errorf("half way: %+v, %v, want five requested", st, err)
	}
	err = tgt.ScaleDown(t.Context(), 4, []string{is[3].ID})
	wantKind(t, "nothing went", err, target.KindThrottled, "terminate "+is[3].ID)
	s.Fail(nil)
	s.Forget()
	if err := tgt.ScaleDown(t.Context(), 3, []string{is[0].ID, is[3].ID, is[4].ID}); err != nil {
		t.Fatal(err)
	}
	var asked []string
	for _, c := range s.Calls("TerminateInstanceInAutoScalingGroup", "SetDesiredCapacity") {
		asked = append(asked, c.Action+" "+c.Form.Get("InstanceId"))
	}
	want := []string{"TerminateInstanceInAutoScalingGroup " + is[3].ID, "TerminateInstanceInAutoScalingGroup " + is[4].ID}
	if diff := cmp.Diff(want, asked); diff != "" {
		t.Error(diff)
	}
}

// TestASGVictimGone: an instance that is gone when it is its turn is made up
// for by the platform's choice.
func TestASGVictimGone(t *testing.T) {
	t.Parallel()
	s, conn := serveRegion(t)
	g := web()
	g.Desired = 4
	s.AddGroup(g)
	is := s.Instances("web")
	tgt := asg(t, conn)
	s.Fail(func(c awstest.Call) *awstest.Fault {
		if c.Action == "TerminateInstanceInAutoScalingGroup" {
			s.Fail(nil)
			s.ChangeInstance("web", is[1].ID, func(i *awstest.Instance) { i.State = "Detached" })
			return &awstest.Fault{Status: 400, Code: "ValidationError", Message: "Instance Id not found"}
		}
		return nil
	})
	if err := tgt.ScaleDown(t.Context(), 2, []string{is[1].ID, is[2].ID}); err != nil {
		t.Fatal(err)
	}
	if st, err := tgt.Current(t.Context()); err != nil || st.Requested != 2 {
		t.Errorf("%+v, %v", st, err)
	}
}

// TestASGLostAnswer: a request whose answer was lost may have been accepted.
func TestASGLostAnswer(t *testing.T) {
	t.Parallel()
	s, conn := serveRegion(t)
	s.AddGroup(web())
	tgt := asg(t, conn)
	s.Fail(func(c awstest.Call) *awstest.Fault {
		if c.Action == "SetDesiredCapacity" {
			return &awstest.Fault{Status: 503, Code: "ServiceUnavailable", Message: "try again", After: true}
		}
		return nil
	})
	wantKind(t, "lost", tgt.Scale(t.Context(), 4), target.KindTemporary, "ServiceUnavailable: try again (request ")
	if st, err := tgt.Current(t.Context()); err != nil || st.Requested != 4 {
		t.Errorf("%+v, %v, want what was accepted", st, err)
	}
	if n := len(s.Calls("SetDesiredCapacity")); n != 1 {
		t.Errorf("asked %d times, want once: the engine does the retrying", n)
	}
}

func TestASGWeightsHaveNoVictims(t *testing.T) {
	t.Parallel()
	s, conn := serveRegion(t)
	g := web()
	g.Desired, g.Weight = 8, 4
	s.AddGroup(g)
	tgt := asg(t, conn)
	_, err := tgt.Replicas(t.Context())
	wantKind(t, "Replicas", err, target.KindPermanent, "weights")
	if err := tgt.ScaleDown(t.Context(), 4, []string{s.Instances("web")[0].ID}); err != nil {
		t.Error(err)
	}
	if e, ok := errors.AsType[*target.Error](tgt.Scale(t.Context(), 4)); !ok || !strings.Contains(e.Op, "group web") {
		t.Errorf("%v", e)
	}
}
