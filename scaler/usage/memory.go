package usage

import (
	"context"
	"strconv"
	"sync"
	"time"

	"github.com/prometheus/common/model"

	"github.com/alertscaler/alertscaler/scaler/policy"
)

// MemorySeries is one series that a Memory answers from.
type MemorySeries interface {
	// Sample returns the newest sample that was taken after t − lookback and
	// not after t. False: there is none, or the series had ended by then.
	Sample(t time.Time, lookback time.Duration) (value float64, at time.Time, ok bool)
}

// Memory answers what a Reader asks Prometheus from series that it is given,
// through the same gate: what a series says at an instant is found as
// Prometheus finds it, and judged as if it had come from there.
//
// All methods are goroutine-safe; the series are called by one goroutine at a
// time.
type Memory struct {
	maxStaleness time.Duration

	mu sync.Mutex // guards what follows
	// shipped and own are the series by what asks for them.
	shipped map[string]map[key][]MemorySeries
	own     map[string][]MemorySeries
	// sums are the shipped capacities, which are given of one replica.
	sums map[key]bool
	// snapshot holds what the Read under way needs, and old the last samples
	// of what it misses.
	snapshot snapshot
	old      map[string]map[key]int64
	// loads are the answers of SetLoads.
	loads map[string]func(time.Time) (map[string]float64, error)
}

// NewMemory returns a Memory without series: whatever is asked is missing. A
// sample may be as old as maxStaleness; 0: 2 m.
func NewMemory(maxStaleness time.Duration) *Memory {
	m := &Memory{
		maxStaleness: Options{MaxStaleness: maxStaleness}.withDefaults().MaxStaleness,
		shipped:      make(map[string]map[key][]MemorySeries),
		own:          make(map[string][]MemorySeries),
		sums:         make(map[key]bool),
		snapshot:     snapshot{tables: make(map[string]*table)},
		old:          make(map[string]map[key]int64),
	}
	for _, name := range []string{seriesUsage, seriesPredicted, seriesCapacity, seriesReporting} {
		old := make(map[key]int64)
		m.shipped[name] = make(map[key][]MemorySeries)
		m.old[name] = old
		m.snapshot.tables[name] = &table{series: make(map[key]*series), old: func() map[key]int64 { return old }}
	}
	return m
}

// SetUsage says what the usage of q is read from: one series or, for an
// answer that is ambiguous, several. It replaces what answered the same
// question before, whoever's it was, as do the other Set methods.
func (m *Memory) SetUsage(q Query, s ...MemorySeries) { m.set(q.plan().usage, s) }

// SetPredicted says what the predicted usage of q is read from. Where q has no
// prediction nobody will ask.
func (m *Memory) SetPredicted(q Query, s ...MemorySeries) {
	if p := q.plan(); p.foresees {
		m.set(p.predicted, s)
	}
}

// SetReporting says what the number of replicas that report is read from.
func (m *Memory) SetReporting(q Query, s ...MemorySeries) { m.set(q.plan().coverage, s) }

// SetCapacity says what one replica holds. Where q divides a recorded sum by
// the number of replicas that report, that sum is what they hold together.
func (m *Memory) SetCapacity(q Query, s ...MemorySeries) {
	p := q.plan()
	if p.divide {
		m.mu.Lock()
		m.sums[p.capacity.key] = true
		m.mu.Unlock()
	}
	m.set(p.capacity, s)
}

func (m *Memory) set(src source, s []MemorySeries) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if src.shipped() {
		m.shipped[src.series][src.key] = s
	} else {
		m.own[src.expr] = s
	}
}

// Read is Reader.Read.
func (m *Memory) Read(ctx context.Context, now time.Time, queries []Query) []policy.Usage {
	m.mu.Lock()
	defer m.mu.Unlock()
	read := make([]policy.Usage, len(queries))
	round := round{now: now, maxStaleness: m.maxStaleness, snapshot: &m.snapshot, own: m.readOne}
	for i, q := range queries {
		p := q.plan()
		m.look(p.coverage, now, nil)
		count := m.look(source{series: seriesReporting, key: key{target: p.capacity.key.target}}, now, nil)
		m.look(p.usage, now, nil)
		m.look(p.predicted, now, nil)
		m.look(p.capacity, now, func(one float64) float64 {
			switch {
			case !m.sums[p.capacity.key] || p.capacity.series != seriesCapacity:
				return one
			case count.n == 1:
				return one * count.value
			default:
				return one * float64(q.Ready)
			}
		})
		read[i] = round.usage(ctx, q, p)
	}
	return read
}

// lookback of an instant query, in whole seconds as a Reader asks for it.
func (m *Memory) lookback() time.Duration { return wholeSeconds(m.maxStaleness) }

// longLookback is how far back a series that is missing is looked for.
func (m *Memory) longLookback() time.Duration { return max(staleLookback, 2*m.maxStaleness) }

// look puts what a shipped series says at now into the snapshot; scale, where
// set, changes the value.
func (m *Memory) look(src source, now time.Time, scale func(float64) float64) series {
	if !src.shipped() {
		return series{}
	}
	t, old := m.snapshot.tables[src.series], m.old[src.series]
	delete(t.series, src.key)
	delete(old, src.key)
	var s series
	all := m.shipped[src.series][src.key]
	for i, one := range all {
		value, at, ok := one.Sample(now, m.lookback())
		if !ok {
			if _, at, ok := one.Sample(now, m.longLookback()); ok {
				old[src.key] = at.UnixMilli()
			}
			continue
		}
		if scale != nil {
			value = scale(value)
		}
		s.n++
		s.value, s.ts = value, at.UnixMilli()
		if len(all) > 1 {
			s.twins[min(s.n, 2)-1] = metricOf(src, i)
		}
	}
	if s.n > 0 {
		t.series[src.key] = &s
	}
	return s
}

// metricOf names the i-th of several series that answer one question.
func metricOf(src source, i int) model.Metric {
	m := model.Metric{"series": model.LabelValue(strconv.Itoa(i + 1))}
	if src.shipped() {
		m[model.MetricNameLabel] = model.LabelValue(src.series)
		m[labelTarget] = model.LabelValue(src.key.target)
		m[labelResource] = model.LabelValue(src.key.resource)
	}
	return m
}

// readOne answers an expression of one's own as Prometheus would: of what is
// more than a selector it does not tell when the samples were taken.
func (m *Memory) readOne(_ context.Context, src source, now time.Time) reading {
	var (
		value    float64
		at, last time.Time
		found    []int
		past     int
	)
	for i, s := range m.own[src.expr] {
		if v, t, ok := s.Sample(now, m.lookback()); ok {
			value, at = v, t
			found = append(found, i)
		} else if _, t, ok := s.Sample(now, m.longLookback()); ok {
			last = t
			past++
		}
	}
	switch {
	case len(found) == 0:
		return absent(src, past, last, now, m.maxStaleness)
	case len(found) > 1:
		return ambiguous(len(found), false, metricOf(src, found[0]), metricOf(src, found[1]))
	}
	if !src.plain {
		at = time.Time{}
	}
	return admit(value, at, now, m.maxStaleness)
}
