package usage

import (
	"strings"
	"testing"
	"time"
)

func TestThePastFromPrometheus(t *testing.T) {
	t.Parallel()
	p, e := scraped(t, recorded("web", "8.4", "16", "8")+recorded("twice", "1", "2", "1")+
		seriesUsage+"{scale_target=\"twice\",resource=\"cpu\",rack=\"b\"} 9\nworkers 6\n")
	await(t, p, "workers", 6)
	r := newReader(t, Options{Address: p.URL, MaxStaleness: 2 * time.Second})
	ctx := t.Context()

	web := Query{ScaleTarget: "web", Resource: "cpu"}
	from := time.Now().Truncate(time.Second)
	// Usage goes on for three seconds, is gone for some, and is there again.
	time.Sleep(3 * time.Second)
	e.set("workers 7\n")
	await(t, p, "workers", 7)
	time.Sleep(4 * time.Second)
	e.set(recorded("web", "4.2", "12", "4") + "workers 8\n")
	await(t, p, "workers", 8)
	time.Sleep(2 * time.Second)

	got, err := r.Past(ctx, web, from.Add(-time.Hour), time.Now(), time.Second)
	if err != nil {
		t.Fatal(err)
	}
	if len(got) < 4 {
		t.Fatalf("%d samples: %+v", len(got), got)
	}
	first, last := got[0], got[len(got)-1]
	if first.Usage != 8.4 || first.Capacity != 2 || first.Ready != 8 {
		t.Errorf("the first sample is %+v, want usage 8.4 of 8 replicas of 2", first)
	}
	if last.Usage != 4.2 || last.Capacity != 3 || last.Ready != 4 {
		t.Errorf("the last sample is %+v, want usage 4.2 of 4 replicas of 3", last)
	}
	gap := time.Duration(0)
	for i := 1; i < len(got); i++ {
		gap = max(gap, got[i].At.Sub(got[i-1].At))
	}
	if gap < 3*time.Second {
		t.Errorf("the longest time between two samples is %s; what was unknown is made up", gap)
	}

	own := Query{ScaleTarget: "web", Resource: "jobs", Usage: "workers * 2", CapacityPerReplica: 5}
	got, err = r.Past(ctx, own, from, time.Now(), time.Second)
	if err != nil || len(got) == 0 || got[0].Capacity != 5 || got[0].Usage < 12 || got[0].Ready != 0 {
		t.Errorf("a query of one's own: %+v, %v", got, err)
	}
	if got, err = r.Past(ctx, Query{ScaleTarget: "nobody", Resource: "cpu"}, from, time.Now(), time.Second); err != nil || len(got) != 0 {
		t.Errorf("of what was never recorded: %+v, %v", got, err)
	}
	if _, err = r.Past(ctx, Query{ScaleTarget: "twice", Resource: "cpu", Usage: seriesUsage + `{scale_target="twice"}`, CapacityPerReplica: 1}, from.Add(-time.Second), from.Add(2*time.Second), time.Second); err == nil || !strings.Contains(err.Error(), "never one series") {
		t.Errorf("of what is never one series: %v", err)
	}
	if _, err = r.Past(ctx, Query{ScaleTarget: "web", Resource: "cpu", Usage: "sum(", CapacityPerReplica: 1}, from, time.Now(), time.Second); err == nil {
		t.Error("a query that cannot be parsed is no error")
	}
}
