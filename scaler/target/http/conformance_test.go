package http

import (
	"net/http"
	"testing"
	"time"

	"github.com/alertscaler/alertscaler/scaler/target"
	"github.com/alertscaler/alertscaler/scaler/target/targettest"
)

func TestConformance(t *testing.T) {
	t.Parallel()
	for name, versions := range map[string]bool{"etag": true, "plain": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			conformance(t, versions)
		})
	}
}

func conformance(t *testing.T, versions bool) {
	built := func(t *testing.T, url string) target.Target {
		tgt, err := configured(t, url, "").New(target.Options{})
		if err != nil {
			t.Fatal(err)
		}
		return tgt
	}
	targettest.Run(t, targettest.Harness{
		New: func(t *testing.T) target.Target {
			return built(t, serve(t, &pool{versions: versions, start: 20 * time.Millisecond}))
		},
		Slow: func(t *testing.T) target.Target {
			return built(t, serve(t, &pool{versions: versions, start: time.Second}))
		},
		Foreign: func(t *testing.T, tgt target.Target, n int) {
			// As someone else would, with another client.
			other := open(t, string(tgt.(*remote).cfg.URL), "")
			if err := other.Scale(t.Context(), n); err != nil {
				t.Fatal(err)
			}
		},
		Missing: func(t *testing.T) target.Target { return built(t, serve(t, http.NotFoundHandler())) },
		Forbidden: func(t *testing.T) target.Target {
			return built(t, serve(t, answers(http.StatusForbidden, "not you")))
		},
		Unreachable: func(t *testing.T) target.Target { return built(t, unreachable(t)) },
		Hanging:     func(t *testing.T) target.Target { return built(t, serve(t, http.HandlerFunc(hangs))) },
		Limited: func(t *testing.T) (target.Target, int) {
			return built(t, serve(t, &pool{versions: versions, max: 3})), 3
		},
		Converge: 5 * time.Second,
		Poll:     20 * time.Millisecond,
	})
}
