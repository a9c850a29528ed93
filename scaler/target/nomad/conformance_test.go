package nomad

import (
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/alertscaler/alertscaler/scaler/target"
	"github.com/alertscaler/alertscaler/scaler/target/nomad/nomadtest"
	"github.com/alertscaler/alertscaler/scaler/target/targettest"
)

func TestConformance(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*nomadtest.Job){
		"service":     func(*nomadtest.Job) {},
		"deployments": func(j *nomadtest.Job) { j.Deployments = true },
		"batch":       func(j *nomadtest.Job) { j.Type = "batch" },
		"namespace":   func(j *nomadtest.Job) { j.Namespace = "shop" },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			conformance(t, change)
		})
	}
}

func conformance(t *testing.T, change func(*nomadtest.Job)) {
	var servers sync.Map // those behind the targets
	started := func(t *testing.T, delay time.Duration, scaling *nomadtest.Scaling) target.Target {
		j := web()
		// Registering is no deployment here, since that would be a conflict
		// with the first request of a slow job.
		j.Count, j.StartDelay, j.Scaling = 0, delay, scaling
		change(&j)
		s, address := agent(t, j)
		s.Token = "valid"
		tgt := build(t, &Config{Address: address, Token: "valid", Namespace: j.Namespace, Job: j.ID, Group: j.Group})
		servers.Store(tgt, s)
		return tgt
	}
	targettest.Run(t, targettest.Harness{
		New:  func(t *testing.T) target.Target { return started(t, 10*time.Millisecond, nil) },
		Slow: func(t *testing.T) target.Target { return started(t, time.Second, nil) },
		Foreign: func(_ *testing.T, tgt target.Target, n int) {
			s, _ := servers.Load(tgt)
			s.(*nomadtest.Server).SetCount(tgt.(*group).cfg.namespace(), "shop/web", n)
		},
		Missing: func(t *testing.T) target.Target {
			_, address := agent(t)
			return at(t, address)
		},
		Forbidden: func(t *testing.T) target.Target {
			s, address := agent(t, web())
			s.Token = "another"
			return at(t, address)
		},
		Unreachable: func(t *testing.T) target.Target { return at(t, unreachable(t)) },
		Hanging:     func(t *testing.T) target.Target { return at(t, serve(t, http.HandlerFunc(hangs))) },
		Limited: func(t *testing.T) (target.Target, int) {
			return started(t, 10*time.Millisecond, &nomadtest.Scaling{Max: 3}), 3
		},
		Converge: 10 * time.Second,
	})
}
