package main

import (
	"testing"
	"time"
)

// TestQueue: every job is done once, also where a worker took one and never
// came back, and what is under way is still to do.
func TestQueue(t *testing.T) {
	now := time.Date(2026, 1, 5, 12, 0, 0, 0, time.UTC)
	q := &jobs{leased: make(map[int]time.Time)}
	q.add(2)
	lost, _ := q.take(now)
	job, ok := q.take(now)
	if !ok || job == lost {
		t.Fatalf("took %d (%t) after %d", job, ok, lost)
	}
	if _, ok := q.take(now.Add(leaseFor)); ok {
		t.Error("a job was given away within its lease")
	}
	if backlog, _ := q.counts(); backlog != 2 {
		t.Errorf("backlog = %d while two are under way", backlog)
	}
	q.finish(job)
	q.finish(job)
	again, ok := q.take(now.Add(leaseFor + time.Second))
	if !ok || again != lost {
		t.Errorf("took %d (%t), want %d whose worker is gone", again, ok, lost)
	}
	q.finish(again)
	if backlog, done := q.counts(); backlog != 0 || done != 2 {
		t.Errorf("backlog = %d, done = %d, want 0 and 2", backlog, done)
	}
}
