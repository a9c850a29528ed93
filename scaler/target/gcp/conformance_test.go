package gcp

import (
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/alertscaler/alertscaler/scaler/target"
	"github.com/alertscaler/alertscaler/scaler/target/gcp/gcptest"
	"github.com/alertscaler/alertscaler/scaler/target/targettest"
)

func TestConformance(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*gcptest.Server, *gcptest.Group){
		"zonal":    func(*gcptest.Server, *gcptest.Group) {},
		"regional": func(_ *gcptest.Server, m *gcptest.Group) { m.Zone, m.Region = "", region },
		"checked and slow to show": func(s *gcptest.Server, m *gcptest.Group) {
			m.HealthCheck = true
			s.OperationTime, s.Lag = 300*time.Millisecond, 500*time.Millisecond
		},
		"small pages": func(s *gcptest.Server, _ *gcptest.Group) { s.PageSize = 1 },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			conformance(t, change)
		})
	}
}

func conformance(t *testing.T, change func(*gcptest.Server, *gcptest.Group)) {
	var servers sync.Map // those behind the targets
	started := func(t *testing.T, more func(*gcptest.Group)) target.Target {
		s, m := &gcptest.Server{}, web()
		change(s, &m)
		more(&m)
		g := serve(t, s)
		g.Create(m)
		tgt := impatient(build(t, g.config(m)))
		servers.Store(tgt, g)
		return tgt
	}
	same := func(*gcptest.Group) {}
	at := func(t *testing.T, url string) target.Target {
		g := serve(t, &gcptest.Server{})
		g.url = url
		return build(t, g.config(web()))
	}
	targettest.Run(t, targettest.Harness{
		New: func(t *testing.T) target.Target { return started(t, same) },
		Slow: func(t *testing.T) target.Target {
			return started(t, func(m *gcptest.Group) { m.Boot = 1500 * time.Millisecond })
		},
		Foreign: func(_ *testing.T, tgt target.Target, n int) {
			g, _ := servers.Load(tgt)
			g.(google).Resize(tgt.(*group).key.location(), "web", n)
		},
		Missing: func(t *testing.T) target.Target {
			g := serve(t, &gcptest.Server{})
			return build(t, g.config(web()))
		},
		Forbidden: func(t *testing.T) target.Target {
			g := serve(t, &gcptest.Server{})
			g.Create(web())
			cfg := g.config(web())
			cfg.CredentialsFile = g.keyOf(t, "nobody@shop.iam.gserviceaccount.com", "compute.instances.list")
			return build(t, cfg)
		},
		Unreachable: func(t *testing.T) target.Target { return at(t, "http://nowhere.test") },
		Hanging:     func(t *testing.T) target.Target { return at(t, listen(http.HandlerFunc(targettest.Hangs))) },
		Limited: func(t *testing.T) (target.Target, int) {
			return started(t, func(m *gcptest.Group) { m.Quota = 3 }), 3
		},
		Converge: 15 * time.Second,
		Virtual:  true,
	})
}

// TestHangingTokens: the deadline of a call is also that of the token that it
// needs.
func TestHangingTokens(t *testing.T) {
	virtual(t, testHangingTokens)
}

func testHangingTokens(t *testing.T) {
	g := serve(t, &gcptest.Server{})
	g.Inject(gcptest.Fault{Path: "/token", Answer: targettest.Hangs})
	tgt := g.scaling(t, web())
	var wg sync.WaitGroup
	for range 3 {
		wg.Go(func() {
			ctx, cancel := contextFor(t, 200*time.Millisecond)
			defer cancel()
			begin := time.Now()
			_, err := tgt.Current(ctx)
			if took := time.Since(begin); took != 200*time.Millisecond || !target.IsTimeout(err) || target.KindOf(err) != target.KindTemporary {
				t.Errorf("%v after %v, want the deadline", err, took)
			}
		})
	}
	wg.Wait()
	for _, r := range g.Requests() {
		if strings.HasPrefix(r, "GET /compute") {
			t.Errorf("%s was asked without a token", r)
		}
	}
}
