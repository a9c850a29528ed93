package http

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/alertscaler/alertscaler/scaler/target"
)

const fine = `{"requested": 2, "ready": 1}`

// TestStatuses has the server answer with each status, first to everything and
// then to what would change something.
func TestStatuses(t *testing.T) {
	t.Parallel()
	for status, want := range map[int]target.Kind{
		300: target.KindPermanent, 304: target.KindPermanent,
		400: target.KindPermanent, 401: target.KindUnauthorized, 402: target.KindQuota, 403: target.KindUnauthorized,
		404: target.KindNotFound, 405: target.KindPermanent, 407: target.KindUnauthorized, 408: target.KindTemporary,
		409: target.KindConflict, 410: target.KindNotFound, 412: target.KindConflict, 415: target.KindPermanent,
		418: target.KindPermanent, 422: target.KindPermanent, 425: target.KindTemporary, 428: target.KindPermanent,
		429: target.KindThrottled, 500: target.KindTemporary, 501: target.KindTemporary, 502: target.KindTemporary,
		503: target.KindTemporary, 504: target.KindTemporary, 507: target.KindQuota, 599: target.KindTemporary,
	} {
		t.Run(http.StatusText(status), func(t *testing.T) {
			t.Parallel()
			says := "because of this"
			if status < 400 {
				says = ""
			}
			bad := answers(status, says, "Retry-After", "7")
			all := open(t, serve(t, bad), "")
			st, err := all.Current(t.Context())
			if st != (target.State{}) {
				t.Errorf("Current = %+v beside an error", st)
			}
			check := func(err error) {
				t.Helper()
				e, ok := errors.AsType[*target.Error](err)
				if !ok || e.Kind != want || !strings.Contains(err.Error(), says) || !strings.Contains(e.Op, "http://127.0.0.1") {
					t.Errorf("%v (kind %q), want kind %q and %q", err, target.KindOf(err), want, says)
				}
				if got := target.RetryAfter(err); got != 7*time.Second {
					t.Errorf("retry after %v, want 7s", got)
				}
			}
			check(err)
			check(all.Scale(t.Context(), 4))
			check(open(t, serve(t, readable(bad)), "").Scale(t.Context(), 4))
		})
	}
}

// readable answers GET well and leaves everything else to next.
func readable(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodGet {
			_, _ = w.Write([]byte(fine))
			return
		}
		next.ServeHTTP(w, r)
	})
}

func TestMalformedAnswers(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name, body, more string
		want             target.Kind
		says             string
	}{
		{"empty", "", "", target.KindTemporary, "not JSON"},
		{"a proxy's page", "<html>\n<h1>Sorry</h1>", "", target.KindTemporary, "<html> <h1>Sorry</h1>"},
		{"two values", fine + fine, "", target.KindTemporary, "comes after"},
		{"cut", `{"requested": 2, "re`, "", target.KindTemporary, "not JSON"},
		{"large", `{"requested": 2, "ready": 1, "x": "` + strings.Repeat("x", maxAnswer) + `"}`, "", target.KindPermanent, "larger than 1048576 bytes"},
		{"a list", "[2]", "", target.KindPermanent, `requested: "requested" is no place in a list`},
		{"no requested", `{"ready": 1}`, "", target.KindPermanent, "requested: the answer does not have it"},
		{"null", `null`, "", target.KindPermanent, "requested: the answer does not have it"},
		{"null requested", `{"requested": null, "ready": 1}`, "", target.KindPermanent, "requested: the answer does not have it"},
		{"no ready", `{"requested": 2}`, "", target.KindPermanent, "ready: the answer does not have it"},
		{"fraction", `{"requested": 2.5, "ready": 1}`, "", target.KindPermanent, "requested: 2.5 is not a whole number"},
		{"negative", `{"requested": 2, "ready": -1}`, "", target.KindPermanent, "ready: -1 is not a whole number"},
		{"too many", `{"requested": 1e99, "ready": 1}`, "", target.KindPermanent, "requested: 1e99 is not a whole number"},
		{"text", `{"requested": "2", "ready": 1}`, "", target.KindPermanent, `requested: "2" is not a whole number`},
		{"truth", `{"requested": true, "ready": 1}`, "", target.KindPermanent, `requested: "true" is not a whole number`},
		{"object", `{"requested": {}, "ready": 1}`, "", target.KindPermanent, "requested: an object is not a whole number"},
		{"max of text", `{"requested": 2, "ready": 1, "max": "none"}`, "", target.KindPermanent, `max: "none" is not a whole number`},
		{"bounds", `{"requested": 2, "ready": 1, "min": 3, "max": 2}`, "", target.KindPermanent, "min 3 is above max 2"},
		{"a max that is configured", fine, "current: { max: limits.max }", target.KindPermanent, "limits.max: the answer does not have it"},
		{"a path through a number", fine, "current: { requested: requested.n }", target.KindPermanent, "requested.n: nothing can be below 2"},
		{"a short list", `{"items": []}`, `current: { requested: items.0.n, ready: "" }`, target.KindPermanent, "items.0.n: the answer does not have it"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			var written bool
			tgt := open(t, serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				written = written || r.Method != http.MethodGet
				_, _ = w.Write([]byte(test.body))
			})), test.more)
			st, err := tgt.Current(t.Context())
			if st != (target.State{}) {
				t.Errorf("Current = %+v beside an error", st)
			}
			for _, err := range []error{err, tgt.Scale(t.Context(), 4)} {
				if target.KindOf(err) != test.want || !strings.Contains(err.Error(), test.says) {
					t.Errorf("%v (kind %q), want kind %q and %q", err, target.KindOf(err), test.want, test.says)
				}
			}
			if written {
				t.Error("it was scaled without knowing what there is")
			}
		})
	}
}

func TestTransportFaults(t *testing.T) {
	t.Parallel()
	cut := http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) })
	half := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "100")
		_, _ = w.Write([]byte(`{"requested": 2`))
	})
	plain := httptest.NewUnstartedServer(&pool{})
	plain.StartTLS()
	t.Cleanup(plain.Close)
	for name, url := range map[string]string{
		"cut": serve(t, cut), "half an answer": serve(t, half), "cut while scaling": serve(t, readable(cut)),
		"refused": unreachable(t), "unknown CA": plain.URL, "no TLS": strings.Replace(serve(t, &pool{}), "http:", "https:", 1),
	} {
		tgt := open(t, url, "")
		if err := tgt.Scale(t.Context(), 3); target.KindOf(err) != target.KindTemporary {
			t.Errorf("%s: %v (kind %q)", name, err, target.KindOf(err))
		}
	}
}
