package gcp

import (
	"net/http"
	"strings"
	"testing"

	"github.com/alertscaler/alertscaler/scaler/target"
	"github.com/alertscaler/alertscaler/scaler/target/gcp/gcptest"
)

// TestNoAnswers has something else answer each kind of question with status
// 200: nothing is read from it, nothing is concluded from it.
func TestNoAnswers(t *testing.T) {
	t.Parallel()
	for _, body := range []string{"{}", "null", "[]", "<html>", `{"name":"other","targetSize":0}`, `{"targetSize":0}`, `{"items":[{}]}`} {
		t.Run(body, func(t *testing.T) {
			t.Parallel()
			g := serve(t, &gcptest.Server{})
			alone := g.scaling(t, web())
			answer := func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(body)) }
			g.Inject(gcptest.Fault{Path: "/compute/", Answer: answer})
			if st, err := alone.Current(t.Context()); target.KindOf(err) != target.KindTemporary || st != (target.State{}) {
				t.Errorf("%+v, %v (kind %q), want kind temporary", st, err, target.KindOf(err))
			}
			if err := alone.Scale(t.Context(), 4); target.KindOf(err) != target.KindTemporary || !strings.Contains(err.Error(), "scale instance group") {
				t.Errorf("%v (kind %q), want kind temporary", err, target.KindOf(err))
			}
			// Two in one place are listed together.
			api := web()
			api.Name = "api"
			cfg := g.config(api)
			cfg.clients = alone.cfg.clients
			if another := build(t, cfg); another.client != alone.client {
				t.Fatal("two targets of one account have two clients")
			}
			if st, err := alone.Current(t.Context()); target.KindOf(err) != target.KindTemporary || st != (target.State{}) {
				t.Errorf("listed: %+v, %v (kind %q), want kind temporary", st, err, target.KindOf(err))
			}
		})
	}
}
