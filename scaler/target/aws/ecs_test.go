package aws

import (
	"fmt"
	"testing"
	"time"

	"github.com/alertscaler/alertscaler/scaler/target"
	"github.com/alertscaler/alertscaler/scaler/target/aws/awstest"
)

func TestECSState(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name   string
		change func(*awstest.Service)
		want   target.State
	}{
		{"running", func(*awstest.Service) {}, target.State{Requested: 2, Ready: 2}},
		{"none", func(v *awstest.Service) { v.Desired = 0 }, target.State{}},
		{"a rollout's surplus", func(v *awstest.Service) { v.Rollout = 2 }, target.State{Requested: 2, Ready: 2}},
	} {
		s, conn := serveRegion(t)
		v := shop()
		test.change(&v)
		s.AddService(v)
		got, err := ecsService(t, conn).Current(t.Context())
		if err != nil || got != test.want {
			t.Errorf("%s: %+v, %v, want %+v", test.name, got, err, test.want)
		}
	}
	// While the new revision starts the old one serves.
	s, conn := serveRegion(t)
	v := shop()
	v.Start, v.Desired = time.Hour, 0
	s.AddService(v)
	s.ChangeService("shop", "web", func(v *awstest.Service) { v.Desired, v.Rollout = 4, 3 })
	if st, err := ecsService(t, conn).Current(t.Context()); err != nil || st != (target.State{Requested: 4, Ready: 3}) {
		t.Errorf("in a rollout: %+v, %v", st, err)
	}
}

func TestECSRefusals(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name   string
		change func(*awstest.Service)
		allow  bool
		want   target.Kind
		says   string
	}{
		{"daemon", func(v *awstest.Service) { v.Strategy = "DAEMON" }, true, target.KindPermanent, "DAEMON"},
		{"draining", func(v *awstest.Service) { v.Status = "DRAINING" }, true, target.KindNotFound, "is DRAINING"},
		{"autoscaler", func(v *awstest.Service) { v.Scalable = true }, false, target.KindPermanent, "Application Auto Scaling"},
		{"autoscaler, allowed", func(v *awstest.Service) { v.Scalable = true }, true, "", ""},
		{"autoscaler, suspended", func(v *awstest.Service) { v.Scalable, v.Suspended = true, true }, false, "", ""},
		{"another service", func(v *awstest.Service) { v.Name = "api" }, true, target.KindNotFound, "no service of that name"},
		{"another cluster", func(v *awstest.Service) { v.Cluster = "bank" }, true, target.KindNotFound, "ClusterNotFoundException"},
	} {
		s, conn := serveRegion(t)
		v := shop()
		test.change(&v)
		s.AddService(v)
		tgt := build(t, &ECSConfig{Connection: conn, Cluster: "shop", Service: "web", AllowOtherOwners: test.allow})
		err := tgt.Scale(t.Context(), 3)
		wantKind(t, test.name, err, test.want, test.says)
		if n := len(s.Calls("UpdateService")); (err == nil) != (n == 1) {
			t.Errorf("%s: %d requests", test.name, n)
		}
	}
}

func TestECSNoRoom(t *testing.T) {
	virtual(t, testECSNoRoom)
}

func testECSNoRoom(t *testing.T) {
	s, conn := serveRegion(t)
	v := shop()
	v.Room = 3
	s.AddService(v)
	tgt := ecsService(t, conn)
	if err := tgt.Scale(t.Context(), 5); err != nil {
		t.Fatal(err)
	}
	eventually(t, "it says that it failed", func() error {
		st, err := tgt.Current(t.Context())
		if err != nil || st.Failed == nil {
			return fmt.Errorf("%+v, %w", st, err)
		}
		wantKind(t, "Failed", st.Failed, target.KindQuota, "unable to place a task")
		return nil
	})
	if err := tgt.Scale(t.Context(), 3); err != nil {
		t.Fatal(err)
	}
	if st, err := tgt.Current(t.Context()); err != nil || st.Failed != nil {
		t.Errorf("after another request: %+v, %v", st, err)
	}
}

func TestECSLag(t *testing.T) {
	virtual(t, testECSLag)
}

func testECSLag(t *testing.T) {
	s, conn := serveRegion(t)
	s.Lag = time.Second
	s.AddService(shop())
	tgt := ecsService(t, conn)
	for _, n := range []int{4, 2, 5} {
		if err := tgt.Scale(t.Context(), n); err != nil {
			t.Errorf("to %d: %v", n, err)
		}
	}
	eventually(t, "it shows", func() error {
		if st, err := tgt.Current(t.Context()); err != nil || st.Requested != 5 {
			return fmt.Errorf("%+v, %w", st, err)
		}
		return nil
	})
	wantKind(t, "the same again", tgt.Scale(t.Context(), 5), target.KindNoOp, "already")
}
