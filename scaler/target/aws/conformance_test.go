package aws

import (
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/alertscaler/alertscaler/scaler/target"
	"github.com/alertscaler/alertscaler/scaler/target/aws/awstest"
	"github.com/alertscaler/alertscaler/scaler/target/targettest"
)

// harness is the suite's for targets that at builds, over what started makes.
func harness(at func(*testing.T, Connection) target.Target, started func(*awstest.Server, time.Duration), foreign func(*awstest.Server, int)) targettest.Harness {
	var servers sync.Map // those behind the targets
	begin := func(t *testing.T, delay time.Duration) target.Target {
		s, conn := serveRegion(t)
		started(s, delay)
		tgt := at(t, conn)
		servers.Store(tgt, s)
		return tgt
	}
	elsewhere := func(t *testing.T, change func(*Connection)) target.Target {
		s, conn := serveRegion(t)
		started(s, 0)
		change(&conn)
		return at(t, conn)
	}
	return targettest.Harness{
		New:  func(t *testing.T) target.Target { return begin(t, 10*time.Millisecond) },
		Slow: func(t *testing.T) target.Target { return begin(t, time.Second) },
		Foreign: func(_ *testing.T, tgt target.Target, n int) {
			s, _ := servers.Load(tgt)
			foreign(s.(*awstest.Server), n)
		},
		Missing: func(t *testing.T) target.Target {
			_, conn := serveRegion(t)
			return at(t, conn)
		},
		Forbidden: func(t *testing.T) target.Target {
			return elsewhere(t, func(c *Connection) { c.Profile = "wrong" })
		},
		Unreachable: func(t *testing.T) target.Target {
			return elsewhere(t, func(c *Connection) { c.Endpoint = "http://nowhere.test" })
		},
		Hanging: func(t *testing.T) target.Target {
			return elsewhere(t, func(c *Connection) { c.Endpoint = serve(http.HandlerFunc(targettest.Hangs)) })
		},
		Converge: 10 * time.Second,
		Virtual:  true,
	}
}

func TestASGConformance(t *testing.T) {
	t.Parallel()
	at := func(t *testing.T, conn Connection) target.Target { return asg(t, conn) }
	h := harness(at, func(s *awstest.Server, boot time.Duration) {
		g := web()
		g.Boot = boot
		s.AddGroup(g)
	}, func(s *awstest.Server, n int) {
		s.ChangeGroup("web", func(g *awstest.Group) { g.Desired = n })
	})
	h.Limited = func(t *testing.T) (target.Target, int) {
		s, conn := serveRegion(t)
		g := web()
		g.Max = 3
		s.AddGroup(g)
		return at(t, conn), 3
	}
	targettest.Run(t, h)
}

func TestECSConformance(t *testing.T) {
	t.Parallel()
	at := func(t *testing.T, conn Connection) target.Target { return ecsService(t, conn) }
	targettest.Run(t, harness(at, func(s *awstest.Server, start time.Duration) {
		v := shop()
		v.Start = start
		s.AddService(v)
	}, func(s *awstest.Server, n int) {
		s.ChangeService("shop", "web", func(v *awstest.Service) { v.Desired = n })
	}))
}
