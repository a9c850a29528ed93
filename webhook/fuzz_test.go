package webhook

import (
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/prometheus/common/model"

	"github.com/alertscaler/alertscaler/scaler/alerts"
)

// FuzzWebhook posts anything. It is either understood, and then every alert
// is one the book can keep, or refused with one line.
func FuzzWebhook(f *testing.F) {
	files, err := filepath.Glob(filepath.Join(fixtures, "*.json"))
	if err != nil {
		f.Fatal(err)
	}
	for _, file := range files {
		b, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		to := new(fake)
		h, _ := serve(t, to, nil)
		w := post(h, body)
		switch w.Code {
		case http.StatusAccepted:
			if len(to.received) != 1 {
				t.Fatalf("202 and %d notifications taken in", len(to.received))
			}
		case http.StatusBadRequest:
			if len(to.received) != 0 {
				t.Error("refused and taken in")
			}
			if got := w.Body.String(); strings.Count(got, "\n") != 1 || len(got) > maxReason+8 {
				t.Errorf("the reason is not one short line: %q", got)
			}
			return
		default:
			t.Fatalf("answer %d %q", w.Code, w.Body)
		}
		for _, a := range to.received[0].Alerts {
			if fp, err := model.ParseFingerprint(a.Fingerprint); err != nil || fp.String() != a.Fingerprint {
				t.Errorf("fingerprint %q", a.Fingerprint)
			}
			if a.Status != alerts.Firing && a.Status != alerts.Resolved {
				t.Errorf("status %q", a.Status)
			}
			if _, err := a.StartsAt.MarshalJSON(); err != nil {
				t.Error(err)
			}
			if _, err := a.EndsAt.MarshalJSON(); err != nil {
				t.Error(err)
			}
		}
	})
}
