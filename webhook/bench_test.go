package webhook

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/prometheus/alertmanager/template"

	"github.com/alertscaler/alertscaler/scaler/alerts"
)

// wholeMessage is Alertmanager's own webhook.Message, which comes with all of
// its notifiers.
type wholeMessage struct {
	*template.Data

	Version         string `json:"version"`
	GroupKey        string `json:"groupKey"`
	TruncatedAlerts uint64 `json:"truncatedAlerts"`
}

// bodyOf is a notification of n alerts, of about 760 bytes each.
func bodyOf(tb testing.TB, n int) []byte {
	tb.Helper()
	m := wholeMessage{Version: bodyVersion, GroupKey: "{}:{}", Data: &template.Data{Receiver: "scaler", Status: "firing"}}
	for i := range n {
		m.Alerts = append(m.Alerts, template.Alert{
			Status: "firing",
			Labels: template.KV{
				"alertname": "ScaleUp", "scale": "up", "scale_target": fmt.Sprintf("service-%d", i), "resource": "cpu",
				"cluster": "eu-central-1", "prometheus": "monitoring/main", "job": "cadvisor", "instance": fmt.Sprintf("10.0.0.%d:8080", i),
			},
			Annotations: template.KV{
				"summary":     "Usage and reservation exceed the capacity of the target.",
				"description": "cpu usage of the target is at 93.4 % of its capacity and 20 % are reserved, so that replicas must be added.",
				"runbook_url": "https://example.com/runbooks/scaleup",
			},
			StartsAt:     t0,
			GeneratorURL: "http://prometheus.example:9090/graph?g0.expr=scale_target_resource%3Ausage%3Asum+%2B+reserved+%3E+capacity&g0.tab=1",
		})
		a := &m.Alerts[i]
		a.Fingerprint = alerts.Fingerprint(a.Labels)
	}
	b, err := json.Marshal(m)
	if err != nil {
		tb.Fatal(err)
	}
	return b
}

// decodeOnly is the least that a receiver can do: decode and answer 202.
func decodeOnly(w http.ResponseWriter, r *http.Request) {
	var m wholeMessage
	if err := json.NewDecoder(r.Body).Decode(&m); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	w.WriteHeader(http.StatusAccepted)
}

// withBook is the handler with a real book behind it.
func withBook(b *testing.B) http.Handler {
	b.Helper()
	book, err := alerts.New(alerts.Options{})
	if err != nil {
		b.Fatal(err)
	}
	h, _ := serve(b, &fake{}, func(o *Options) { o.Receiver = keep{book} })
	return h
}

// BenchmarkRatio takes turns, so that a busy machine slows both down, and
// reports how many times the least the handler with its book takes.
func BenchmarkRatio(b *testing.B) {
	body := bodyOf(b, 10)
	least, whole := http.HandlerFunc(decodeOnly), withBook(b)
	var took [2]time.Duration
	for b.Loop() {
		for i, h := range []http.Handler{least, whole} {
			start := time.Now()
			if w := post(h, body); w.Code != http.StatusAccepted {
				b.Fatal(w.Code, w.Body)
			}
			took[i] += time.Since(start)
		}
	}
	b.ReportMetric(float64(took[1])/float64(took[0]), "x-decode-only")
}

// BenchmarkDecode takes turns too, and reports how many times as long as the
// short way encoding/json takes, the plain one and the one that says which
// alert is wrong.
func BenchmarkDecode(b *testing.B) {
	body := bodyOf(b, 10)
	ways := []func() error{
		func() error { return decode(body, new(message)) },
		func() error {
			return json.Unmarshal(body, &struct {
				Version, Receiver, GroupKey string
				TruncatedAlerts             uint64
				Alerts                      []template.Alert
			}{})
		},
		func() error { return json.Unmarshal(body, new(message)) },
	}
	took := make([]time.Duration, len(ways))
	for b.Loop() {
		for i, do := range ways {
			start := time.Now()
			if err := do(); err != nil {
				b.Fatal(err)
			}
			took[i] += time.Since(start)
		}
	}
	b.ReportMetric(float64(took[1])/float64(took[0]), "x-plain")
	b.ReportMetric(float64(took[2])/float64(took[0]), "x-by-alert")
}

// BenchmarkWebhook compares the handler with one that only decodes the body
// and answers 202.
func BenchmarkWebhook(b *testing.B) {
	body := bodyOf(b, 10)
	handler, _ := serve(b, &fake{}, func(o *Options) { o.Receiver = discard{} })
	for _, tc := range []struct {
		name    string
		handler http.Handler
	}{{"decode only", http.HandlerFunc(decodeOnly)}, {"handler", handler}, {"handler and book", withBook(b)}} {
		b.Run(tc.name, func(b *testing.B) {
			b.SetBytes(int64(len(body)))
			b.ReportAllocs()
			for b.Loop() {
				if w := post(tc.handler, body); w.Code != http.StatusAccepted {
					b.Fatal(w.Code, w.Body)
				}
			}
		})
		b.Run(tc.name+" over HTTP", func(b *testing.B) {
			srv := httptest.NewServer(tc.handler)
			defer srv.Close()
			client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 10}}
			b.SetParallelism(5)
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					resp, err := client.Post(srv.URL+"/webhook", "application/json", bytes.NewReader(body))
					if err != nil {
						b.Error(err)
						return
					}
					_, _ = io.Copy(io.Discard, resp.Body)
					resp.Body.Close()
				}
			})
		})
	}
}

// keep hands notifications to a real book, as the program does.
type keep struct{ book *alerts.Book }

func (k keep) Receive(ctx context.Context, n alerts.Notification) error {
	_, err := k.book.Apply(ctx, n)
	return err
}
