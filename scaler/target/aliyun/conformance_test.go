package aliyun

import (
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/alertscaler/alertscaler/scaler/target"
	"github.com/alertscaler/alertscaler/scaler/target/aliyun/aliyuntest"
	"github.com/alertscaler/alertscaler/scaler/target/targettest"
)

func TestConformance(t *testing.T) {
	t.Parallel()
	for name, like := range kinds() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			conformance(t, like)
		})
	}
}

func conformance(t *testing.T, like aliyuntest.Group) {
	var servers sync.Map // those behind the targets
	started := func(t *testing.T, change func(*aliyuntest.Group)) target.Target {
		g := like
		g.Count = 0
		change(&g)
		s, host := api(t, g)
		tgt := at(t, host)
		servers.Store(tgt, s)
		return tgt
	}
	targettest.Run(t, targettest.Harness{
		New: func(t *testing.T) target.Target { return started(t, func(*aliyuntest.Group) {}) },
		Slow: func(t *testing.T) target.Target {
			return started(t, func(g *aliyuntest.Group) { g.Boot = time.Second })
		},
		Foreign: func(_ *testing.T, tgt target.Target, n int) {
			s, _ := servers.Load(tgt)
			s.(*aliyuntest.Server).SetCount(testGroup, n)
		},
		Missing: func(t *testing.T) target.Target {
			_, host := api(t)
			return at(t, host)
		},
		Forbidden: func(t *testing.T) target.Target {
			_, host := api(t, like)
			a := access(host)
			a.AccessKeySecret = "another"
			return build(t, &Config{ScalingGroupID: testGroup, Access: a, clients: quick()})
		},
		Unreachable: func(t *testing.T) target.Target { return at(t, unreachable) },
		Hanging:     func(t *testing.T) target.Target { return at(t, serve(http.HandlerFunc(targettest.Hangs))) },
		Limited: func(t *testing.T) (target.Target, int) {
			return started(t, func(g *aliyuntest.Group) { g.Max = 3 }), 3
		},
		Converge: 10 * time.Second,
		Virtual:  true,
	})
}
