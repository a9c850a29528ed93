package scaler

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/alertscaler/alertscaler/scaler/config"
	"github.com/alertscaler/alertscaler/scaler/target"
)

// evaluations is how often a policy has decided.
func (w *world) evaluations(policy string) int {
	w.t.Helper()
	families, err := w.reg.Gather()
	if err != nil {
		w.t.Fatal(err)
	}
	n := 0.0
	for _, f := range families {
		if f.GetName() != "alertscaler_decisions_total" {
			continue
		}
		for _, m := range f.GetMetric() {
			for _, l := range m.GetLabel() {
				if l.GetName() == "policy" && l.GetValue() == policy {
					n += m.GetCounter().GetValue()
				}
			}
		}
	}
	return int(n)
}

// TestEachPolicyHasItsInterval: its own, or the global one; a reload changes it.
func TestEachPolicyHasItsInterval(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, 1, nil)
		w.platform["batch"] = newScripted(1)
		configure := func(web string) *config.Config {
			text := fmt.Sprintf(`
global: { evaluation_interval: 1m }
policies:
  - { name: web, min: 1, max: 10, %s targets: [ { name: t, scripted: { name: web } } ] }
  - { name: batch, min: 1, max: 10, targets: [ { name: t, scripted: { name: batch } } ] }`, web)
			c, err := config.Load("test.yml", []byte(text), target.NewRegistry(func() target.Config { return &scriptedConfig{} }))
			if err != nil {
				t.Fatal(err)
			}
			for _, p := range c.Policies {
				p.Targets[0].Platform = &scriptedConfig{Name: p.Name, it: w.platform[p.Name]}
			}
			return c
		}
		within := func(when string, web, batch int) {
			t.Helper()
			web, batch = web+w.evaluations("web"), batch+w.evaluations("batch")
			w.wait(10 * time.Minute)
			if gotWeb, gotBatch := w.evaluations("web"), w.evaluations("batch"); gotWeb != web || gotBatch != batch {
				t.Errorf("%s: after ten minutes there were %d and %d evaluations, want %d and %d", when, gotWeb, gotBatch, web, batch)
			}
		}
		w.reload(configure("evaluation_interval: 5s,"))
		w.wait(time.Second)
		within("one of 5s and the global minute", 120, 10)
		w.reload(configure("evaluation_interval: 2m,"))
		w.wait(time.Second)
		within("one of 2m", 5, 10)
		w.reload(configure(""))
		w.wait(time.Second)
		within("both of the global minute", 10, 10)
		w.restart()
		w.wait(time.Second)
		within("after a restart", 10, 10)
	})
}
