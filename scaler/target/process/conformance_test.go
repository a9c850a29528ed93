package process

import (
	"testing"
	"time"

	"github.com/alertscaler/alertscaler/scaler/target"
	"github.com/alertscaler/alertscaler/scaler/target/targettest"
)

func TestConformance(t *testing.T) {
	t.Parallel()
	build := func(t *testing.T, cfg *Config) target.Target {
		t.Helper()
		if err := cfg.Validate(); err != nil {
			t.Fatal(err)
		}
		tgt, err := cfg.New(target.Options{Policy: "web", Name: t.Name()})
		if err != nil {
			t.Fatal(err)
		}
		return tgt
	}
	targettest.Run(t, targettest.Harness{
		New:  func(t *testing.T) target.Target { return build(t, webConfig()) },
		Slow: func(t *testing.T) target.Target { return build(t, webConfig("--start-delay=1s")) },
		Limited: func(t *testing.T) (target.Target, int) {
			cfg := webConfig()
			cfg.MaxReplicas = 2
			return build(t, cfg), 2
		},
		Converge: 20 * time.Second,
		Poll:     20 * time.Millisecond,
	})
}

// TestConformanceWithoutProbe is for replicas that are ready once they run for
// some time.
func TestConformanceWithoutProbe(t *testing.T) {
	t.Parallel()
	targettest.Run(t, targettest.Harness{
		New: func(t *testing.T) target.Target {
			cfg := NewConfig().(*Config)
			cfg.Command = []string{"sleep", "3600"}
			tgt, err := cfg.New(target.Options{Policy: "web", Name: t.Name()})
			if err != nil {
				t.Fatal(err)
			}
			tgt.(*pool).aliveAfter = 50 * time.Millisecond
			return tgt
		},
		Converge: 20 * time.Second,
		Poll:     20 * time.Millisecond,
	})
}
