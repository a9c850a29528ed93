package alerts

import (
	"context"
	"fmt"
	"testing"
	"time"
)

// crowd is a book with as many policies as alerts, one for each.
func crowd(b *testing.B, n int) (*Book, []Alert) {
	b.Helper()
	var (
		rs []Rule
		as []Alert
	)
	for i := range n {
		name := fmt.Sprintf("policy-%d", i)
		rs = append(rs, rules(b, name)...)
		as = append(as, firing(alertOf(fmt.Sprintf("%016x", i), "up", name), 0))
	}
	book, err := New(Options{Store: &memStore{}, Rules: rs})
	if err != nil {
		b.Fatal(err)
	}
	if _, err := book.Apply(context.Background(), Notification{Alerts: as}); err != nil {
		b.Fatal(err)
	}
	return book, as
}

func BenchmarkApply(b *testing.B) {
	book, as := crowd(b, 10_000)
	ctx := context.Background()
	b.Run("repeat of 10", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := book.Apply(ctx, Notification{Alerts: as[:10]}); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("10 fire and resolve", func(b *testing.B) {
		b.ReportAllocs()
		on, off := make([]Alert, 10), make([]Alert, 10)
		for i := 0; b.Loop(); i++ {
			for j := range on {
				start := time.Duration(i) * time.Second
				on[j] = firing(alertOf(fmt.Sprintf("n%d", j), "up", "policy-1"), start)
				off[j] = resolved(on[j], start, start+1)
			}
			for _, n := range [][]Alert{on, off} {
				if _, err := book.Apply(ctx, Notification{Alerts: n}); err != nil {
					b.Fatal(err)
				}
			}
		}
	})
}

func BenchmarkCounts(b *testing.B) {
	book, _ := crowd(b, 10_000)
	for b.Loop() {
		book.Counts("policy-4711")
	}
}

// BenchmarkReconcile is one answer with 10,000 alerts that the book has and
// 10,000 that concern nobody.
func BenchmarkReconcile(b *testing.B) {
	book, as := crowd(b, 10_000)
	for i := range 10_000 {
		as = append(as, firing(Alert{Fingerprint: fmt.Sprintf("u%d", i), Labels: map[string]string{
			"alertname": "DiskFull", "instance": fmt.Sprintf("db-%d:9100", i), "job": "node", "severity": "page",
		}}, 0))
	}
	for b.Loop() {
		if _, err := book.Reconcile(context.Background(), Answer{RequestedAt: time.Now(), Alerts: as, Settled: true}); err != nil {
			b.Fatal(err)
		}
	}
}
