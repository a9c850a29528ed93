package ledger

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/alertscaler/alertscaler/scaler/policy"
)

// BenchmarkCommit is one decision with its action and history, synced, with
// so many policies acting at once.
func BenchmarkCommit(b *testing.B) {
	for _, callers := range []int{1, 8, 64} {
		b.Run(fmt.Sprintf("callers=%d", callers), func(b *testing.B) {
			l := open(b, b.TempDir())
			b.ResetTimer()
			var wg sync.WaitGroup
			for c := range callers {
				wg.Go(func() {
					name := fmt.Sprintf("policy-%d", c)
					for i := c; i < b.N; i += callers {
						if err := l.Commit(fullRecord(l, name, i)); err != nil {
							b.Error(err)
							return
						}
					}
				})
			}
			wg.Wait()
			b.StopTimer()
			b.ReportMetric(testutil.ToFloat64(l.metrics.commits)/float64(b.N), "syncs/op")
			b.ReportMetric(testutil.ToFloat64(l.metrics.size)/float64(b.N), "file-B/op")
		})
	}
}

// BenchmarkEnqueueRound is a round of evaluations in which 10,000 policies
// each leave a history, and the one transaction that takes them all.
func BenchmarkEnqueueRound(b *testing.B) {
	const policies = 10_000
	l := open(b, b.TempDir())
	l.flushInterval = time.Hour
	records := make([]Record, policies)
	for i := range records {
		name := fmt.Sprintf("policy-%d", i)
		records[i] = Record{Histories: map[string]policy.History{name: fullHistory(start())}}
	}
	var enqueue, write time.Duration
	for b.Loop() {
		t0 := time.Now()
		for _, r := range records {
			l.Enqueue(r)
		}
		t1 := time.Now()
		l.flush()
		enqueue, write = enqueue+t1.Sub(t0), write+time.Since(t1)
	}
	b.ReportMetric(float64(enqueue.Microseconds())/1e3/float64(b.N), "enqueue-ms/op")
	b.ReportMetric(float64(write.Microseconds())/1e3/float64(b.N), "write-ms/op")
}

// BenchmarkDecisions is one page of a policy's decisions among many.
func BenchmarkDecisions(b *testing.B) {
	l := open(b, b.TempDir())
	for i := range 50_000 {
		l.Enqueue(Record{Decision: decision(l, fmt.Sprintf("policy-%d", i%500), start())})
	}
	l.flush()
	for b.Loop() {
		ds, err := l.Decisions(Query{Policy: "policy-250"})
		if err != nil || len(ds) != 100 {
			b.Fatal(len(ds), err)
		}
	}
}

// BenchmarkOpen is a start on a ledger of 50,000 decisions and 10,000
// policies.
func BenchmarkOpen(b *testing.B) {
	dir := b.TempDir()
	l, err := Open(Options{Path: dir, Now: start})
	if err != nil {
		b.Fatal(err)
	}
	for i := range 50_000 {
		l.Enqueue(fullRecord(l, fmt.Sprintf("policy-%d", i%10_000), i))
	}
	if err := l.Close(); err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		l, err := Open(Options{Path: dir, Now: start})
		if err != nil {
			b.Fatal(err)
		}
		if err := l.Close(); err != nil {
			b.Fatal(err)
		}
	}
}

func fullRecord(l *Ledger, name string, i int) Record {
	at := start().Add(time.Duration(i) * time.Second)
	d := decision(l, name, at)
	for range 10 {
		d.Steps = append(d.Steps, d.Steps[0])
	}
	a := newAction(l, name, "swarm", i, Intended, at)
	a.Decision = d.ID
	return Record{Decision: d, Actions: []Action{a}, Histories: map[string]policy.History{name: fullHistory(at)}}
}

// fullHistory has what some minutes of a busy policy leave.
func fullHistory(at time.Time) policy.History {
	h := policy.History{Since: at, LastSeen: at}
	for i := range 8 {
		h.Samples = append(h.Samples, policy.Sample{First: at, Last: at.Add(time.Minute), Replicas: i})
	}
	for i := range 3 {
		h.Moves = append(h.Moves, policy.Move{ID: "01KE6X3G00B6J9GVYQ2QXG5Z3A", At: at, Converged: at, From: i, To: i + 1})
	}
	return h
}
