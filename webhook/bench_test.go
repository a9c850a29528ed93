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

	"github.com/prometheus/alertmanager/template"

	"github.com/alertscaler/alertscaler/scaler/alerts"
)

// bodyOf is a notification of n alerts, of about 760 bytes each.
func bodyOf(tb testing.TB, n int) []byte {
	tb.Helper()
	m := message{Version: bodyVersion, GroupKey: "{}:{}", Data: &template.Data{Receiver: "scaler", Status: "firing"}}
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
			Fingerprint:  fmt.Sprintf("%016x", i+1),
		})
	}
	b, err := json.Marshal(m)
	if err != nil {
		tb.Fatal(err)
	}
	return b
}

// BenchmarkWebhook compares the handler with one that only decodes the body
// and answers 202.
func BenchmarkWebhook(b *testing.B) {
	body := bodyOf(b, 10)
	decode := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var m message
		if err := json.NewDecoder(r.Body).Decode(&m); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		w.WriteHeader(http.StatusAccepted)
	})
	handler, _ := serve(b, &fake{}, func(o *Options) { o.Receiver = discard{} })
	book, err := alerts.New(alerts.Options{})
	if err != nil {
		b.Fatal(err)
	}
	whole, _ := serve(b, &fake{}, func(o *Options) { o.Receiver = keep{book} })
	for _, tc := range []struct {
		name    string
		handler http.Handler
	}{{"decode only", decode}, {"handler", handler}, {"handler and book", whole}} {
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
