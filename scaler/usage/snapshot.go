package usage

import (
	"context"
	"fmt"
	"math"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/prometheus/common/model"

	"github.com/alertscaler/alertscaler/scaler/policy"
)

const (
	// staleLookback is how far back a series that is missing is looked for,
	// to tell one that has stopped from one that never was.
	staleLookback = time.Hour
	// maxRecounts bounds the queries for counts of an earlier instant: one
	// for every rule group that is caught between two of its rules.
	maxRecounts = 8
)

// key names one target, or one resource of it.
type key struct{ target, resource string }

// series is one element of a table, as of the snapshot's instant.
type series struct {
	value float64
	// ts is when the sample was taken, in milliseconds.
	ts int64
	// n counts the series of this key; more than one is ambiguous, and twins
	// are then two of them.
	n     int
	twins [2]model.Metric
}

func (s series) at() time.Time { return time.UnixMilli(s.ts) }

// table is one shipped series, of all targets.
type table struct {
	series map[key]*series
	// err is why it could not be read.
	err error
	// old is when the last samples were taken, by a longer lookback. It is
	// read once, by the first who misses a series, while the others wait.
	old func() map[key]int64
}

// all is nothing of a table that is not wanted.
func (t *table) all() map[key]*series {
	if t == nil {
		return nil
	}
	return t.series
}

// snapshot is what the shipped series say at one instant, of all targets. It
// is complete when it is handed out, and safe to read concurrently.
type snapshot struct {
	at     time.Time
	tables map[string]*table
	// counts by target and instant, in milliseconds, where a capacity was
	// recorded before the newest count.
	counts map[int64]map[key]*series
}

// load reads the shipped series that are wanted, as of one instant. The number
// of its queries does not depend on the number of targets.
func (r *Reader) load(ctx context.Context, at time.Time, wanted map[want]time.Time) *snapshot {
	s := &snapshot{at: at, tables: map[string]*table{}}
	var wg sync.WaitGroup
	for name, selector := range selectors(wanted) {
		t := &table{old: sync.OnceValue(func() map[key]int64 { return r.loadOld(at, selector) })}
		s.tables[name] = t
		wg.Go(func() {
			if err := r.guard(func() { t.series, t.err = r.loadTable(ctx, at, selector) }); err != nil {
				t.err = err
			}
		})
	}
	wg.Wait()
	s.counts = r.recount(ctx, s)
	return s
}

// selectors is PromQL for each shipped series that is wanted, by its name.
func selectors(wanted map[want]time.Time) map[string]string {
	resources := map[string][]string{}
	for w := range wanted {
		resources[w.series] = append(resources[w.series], regexp.QuoteMeta(w.resource))
	}
	all := make(map[string]string, len(resources))
	for name, rs := range resources {
		all[name] = name
		if name != seriesReporting {
			slices.Sort(rs)
			all[name] += fmt.Sprintf("{%s=~%q}", labelResource, strings.Join(rs, "|"))
		}
	}
	return all
}

func (r *Reader) loadTable(ctx context.Context, at time.Time, selector string) (map[key]*series, error) {
	var (
		values, times       model.Vector
		valuesErr, timesErr error
		wg                  sync.WaitGroup
	)
	wg.Go(func() {
		values, valuesErr = r.askVector(ctx, question{expr: selector, at: at, lookback: r.opts.MaxStaleness})
	})
	wg.Go(func() {
		times, timesErr = r.askVector(ctx, question{expr: timesExpr(selector), at: at, lookback: r.opts.MaxStaleness})
	})
	wg.Wait()
	// Both fail alike as a rule.
	if valuesErr != nil {
		return nil, valuesErr
	}
	if timesErr != nil {
		return nil, timesErr
	}
	return tabulate(values, times)
}

// timesExpr asks when the samples were taken, and is answered in few words:
// the latest time, without labels, and what differs from it. All that one rule
// group records has the same time.
func timesExpr(selector string) string {
	return fmt.Sprintf("timestamp(%s) != scalar(max(timestamp(%s))) or max(timestamp(%s))", selector, selector, selector)
}

// tabulate sorts values and their timestamps by what they belong to.
func tabulate(values, times model.Vector) (map[key]*series, error) {
	all := count(values)
	ts, latest, err := timestamps(times)
	if err != nil {
		return nil, err
	}
	for k, s := range all {
		var own bool
		if s.ts, own = ts[k]; !own {
			s.ts = latest
		}
	}
	return all, nil
}

// count sorts values by what they belong to, and keeps two of those that belong
// to the same.
func count(values model.Vector) map[key]*series {
	all := make(map[key]*series, len(values))
	each := make([]series, len(values))
	for i, v := range values {
		k := keyOf(v.Metric)
		s := all[k]
		if s == nil {
			s = &each[i]
			all[k] = s
		}
		if s.n < len(s.twins) {
			s.twins[s.n] = v.Metric
		}
		s.n++
		s.value = float64(v.Value)
		if v.Histogram != nil {
			s.value = math.NaN()
		}
	}
	// Labels are many, and not kept where nobody will name them.
	for i := range each {
		if each[i].n == 1 {
			each[i].twins[0] = nil
		}
	}
	return all
}

// timestamps are those that an answer to timesExpr gives by their key, and the
// one of all others; 0 where it gives none.
func timestamps(times model.Vector) (all map[key]int64, latest int64, err error) {
	all = make(map[key]int64, len(times))
	for _, t := range times {
		ms, err := millis(t)
		if err != nil {
			return nil, 0, err
		}
		if len(t.Metric) == 0 {
			latest = ms
			continue
		}
		all[keyOf(t.Metric)] = ms
	}
	return all, latest, nil
}

// millis is the result of timestamp() as Prometheus keeps it: in milliseconds.
func millis(s *model.Sample) (int64, error) {
	v := float64(s.Value)
	if s.Histogram != nil || math.IsNaN(v) || math.Abs(v) > maxSeconds {
		return 0, fmt.Errorf("bad_response: a sample is said to be of the time %g, which is no time in seconds", v)
	}
	return int64(math.Round(v * 1000)), nil
}

func keyOf(m model.Metric) key {
	return key{string(m[labelTarget]), string(m[labelResource])}
}

// loadOld is when each target's last sample was taken, however long ago. An
// error leaves it empty: the series is then missing, which is no less true.
func (r *Reader) loadOld(at time.Time, selector string) map[key]int64 {
	times, err := r.askVector(r.ctx, question{
		expr: "timestamp(" + selector + ")", at: at, lookback: max(staleLookback, 2*r.opts.MaxStaleness),
	})
	if err != nil {
		return nil
	}
	all, _, err := timestamps(times)
	if err != nil {
		return nil
	}
	return all
}

// recount reads the counts as they were when the capacities were recorded.
//
// The rules of a group write one after the other. A snapshot taken in the
// middle has the new count and the old sum of capacities, and their quotient
// would be wrong by as much as the number of replicas has just changed.
func (r *Reader) recount(ctx context.Context, s *snapshot) map[int64]map[key]*series {
	capacities, counts := s.tables[seriesCapacity].all(), s.tables[seriesReporting].all()
	var instants []int64
	for k, c := range capacities {
		count, ok := counts[key{target: k.target}]
		if ok && c.ts != 0 && c.ts < count.ts && !slices.Contains(instants, c.ts) && len(instants) < maxRecounts {
			instants = append(instants, c.ts)
		}
	}
	ctx, cancel := context.WithTimeout(ctx, r.opts.Timeout)
	defer cancel()
	recounted := make(map[int64]map[key]*series, len(instants))
	for _, ts := range instants {
		values, err := r.askVector(ctx, question{expr: seriesReporting, at: time.UnixMilli(ts), lookback: r.opts.MaxStaleness})
		if err == nil {
			recounted[ts] = count(values)
		}
	}
	return recounted
}

// read passes one series through the gate.
func (s *snapshot) read(name string, k key, now time.Time, maxStaleness time.Duration) reading {
	t := s.tables[name]
	if t.err != nil {
		return bad(policy.ProblemUnavailable, "%s", t.err)
	}
	found, ok := t.series[k]
	switch {
	case !ok:
		if ts, ok := t.old()[k]; ok {
			return stale(time.UnixMilli(ts), now, maxStaleness)
		}
		return bad(policy.ProblemMissing, "no series %s", describe(name, k))
	case found.n > 1:
		return ambiguous(found.n, false, found.twins[0], found.twins[1])
	case found.ts == 0:
		return bad(policy.ProblemMissing, "the series %s ended while it was read", describe(name, k))
	}
	return admit(found.value, found.at(), now, maxStaleness)
}

// capacityPerReplica is the sum of what the reporting replicas hold, divided
// by their number at that time.
func (s *snapshot) capacityPerReplica(src source, now time.Time, maxStaleness time.Duration, ready int) reading {
	sum := s.read(src.series, src.key, now, maxStaleness)
	if !sum.ok() {
		return sum
	}
	reporting := key{target: src.key.target}
	count := s.read(seriesReporting, reporting, now, maxStaleness)
	if then, ok := s.counts[sum.at.UnixMilli()][reporting]; ok && then.n == 1 {
		count = admit(then.value, sum.at, now, maxStaleness)
	}
	replicas := count.value
	switch {
	case count.problem == policy.ProblemMissing && ready > 0:
		// Rules of one's own may record a capacity and no count.
		replicas = float64(ready)
	case !count.ok():
		count.detail = "how many replicas it is the sum of: " + count.detail
		return count
	case replicas == 0:
		return bad(policy.ProblemNoCapacity, "it is the sum of no replicas")
	case replicas < 1:
		return bad(policy.ProblemNoCapacity, "it is the sum of %g replicas, which is no count", replicas)
	}
	sum.value /= replicas
	return sum
}

func describe(name string, k key) string {
	m := model.Metric{model.MetricNameLabel: model.LabelValue(name), labelTarget: model.LabelValue(k.target)}
	if k.resource != "" {
		m[labelResource] = model.LabelValue(k.resource)
	}
	return m.String()
}
