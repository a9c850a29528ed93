package main

import (
	"net/http/httptest"
	"testing"
	"time"

	"github.com/alertscaler/alertscaler/scaler/target"
	"github.com/alertscaler/alertscaler/scaler/target/http"
	"github.com/alertscaler/alertscaler/scaler/target/targettest"
)

// TestConformance holds the example to all that a target promises.
func TestConformance(t *testing.T) {
	t.Parallel()
	const most = 5
	served := func(t *testing.T) target.Target {
		srv := httptest.NewServer(newPool(most))
		t.Cleanup(srv.Close)
		cfg := http.NewConfig().(*http.Config)
		cfg.URL = http.URL(srv.URL)
		if err := cfg.Validate(); err != nil {
			t.Fatal(err)
		}
		tgt, err := cfg.New(target.Options{})
		if err != nil {
			t.Fatal(err)
		}
		return tgt
	}
	targettest.Run(t, targettest.Harness{
		New:      served,
		Slow:     served,
		Limited:  func(t *testing.T) (target.Target, int) { return served(t), most },
		Converge: 10 * time.Second,
	})
}
