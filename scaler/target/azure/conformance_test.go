package azure

import (
	"sync"
	"testing"
	"time"

	"github.com/alertscaler/alertscaler/scaler/target"
	"github.com/alertscaler/alertscaler/scaler/target/azure/azuretest"
	"github.com/alertscaler/alertscaler/scaler/target/targettest"
)

func TestConformance(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*azuretest.Server, *azuretest.Set){
		"uniform":  func(*azuretest.Server, *azuretest.Set) {},
		"flexible": func(_ *azuretest.Server, x *azuretest.Set) { x.Flexible = true },
		"lagging":  func(s *azuretest.Server, _ *azuretest.Set) { s.Lag = 150 * time.Millisecond },
		"pages": func(s *azuretest.Server, x *azuretest.Set) {
			s.PageSize, x.Health, x.NoEtag = 1, true, true
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			conformance(t, change, name == "lagging")
		})
	}
}

func conformance(t *testing.T, change func(*azuretest.Server, *azuretest.Set), lags bool) {
	var servers sync.Map // those behind the targets
	started := func(t *testing.T, boot time.Duration, quota int) target.Target {
		x := web()
		x.Boot = boot
		f := start(t, func(s *azuretest.Server) {
			s.Quota = quota
			change(s, &x)
		}, x)
		tgt := build(t, f.config("web"))
		servers.Store(target.Target(tgt), f.Server)
		return tgt
	}
	h := targettest.Harness{
		New:  func(t *testing.T) target.Target { return started(t, 20*time.Millisecond, 0) },
		Slow: func(t *testing.T) target.Target { return started(t, time.Second, 0) },
		Foreign: func(_ *testing.T, tgt target.Target, n int) {
			s, _ := servers.Load(tgt)
			s.(*azuretest.Server).SetCapacity("shop", "web", n)
		},
		Missing: func(t *testing.T) target.Target { return build(t, start(t, nil, web()).config("no-such-set")) },
		Forbidden: func(t *testing.T) target.Target {
			return build(t, start(t, func(s *azuretest.Server) { s.Forbidden = true }, web()).config("web"))
		},
		Unreachable: func(t *testing.T) target.Target {
			return build(t, &Config{Access: access("https://nowhere.test"), ResourceGroup: "shop", Name: "web", clients: wired()})
		},
		Hanging: func(t *testing.T) target.Target { return hanging(t) },
		Limited: func(t *testing.T) (target.Target, int) { return started(t, 20*time.Millisecond, 3), 3 },
		// The shared list may be two seconds old where someone else changes it.
		Converge: 20 * time.Second,
		Virtual:  true,
	}
	if lags {
		// What is refused first is the etag of before, and that is a conflict.
		h.Limited = nil
	}
	targettest.Run(t, h)
}
