package usage

import "time"

// The recorded series that ship with Alertscaler. All targets' series of one
// name are read together.
const (
	seriesUsage     = "scale_target_resource:usage:sum"
	seriesCapacity  = "scale_target_resource:capacity:sum"
	seriesPredicted = "scale_target_resource:usage:predicted"
	seriesReporting = "scale_target:replicas_reporting:count"

	labelTarget   = "scale_target"
	labelResource = "resource"
)

// DefaultMinCoverage is the share of the ready replicas that must report where
// usage comes from the shipped series and nothing else was asked for.
const DefaultMinCoverage = 0.8

// Query says how one resource of a policy is read. Only ScaleTarget and
// Resource are required: the shipped series then say everything.
type Query struct {
	// ScaleTarget is the scale_target of the shipped series, by convention
	// the policy's name.
	ScaleTarget string
	// Resource names the resource, in the shipped series and in the answer.
	Resource string
	// Usage is PromQL for the absolute sum over all replicas. Empty: the
	// shipped series of ScaleTarget and Resource.
	Usage string
	// Predicted is PromQL for what Usage is expected to be one provisioning
	// time ahead. Empty: nothing is predicted.
	Predicted string
	// CapacityPerReplica is what one replica holds, in the resource's unit.
	// 0: Capacity says it.
	CapacityPerReplica float64
	// Capacity is PromQL for what one replica holds. Empty: the shipped
	// capacity, divided by the number of replicas it is the sum of; see Read.
	Capacity string
	// Coverage is PromQL for how many replicas Usage is the sum of. Empty:
	// the shipped count.
	Coverage string
	// MinCoverage is the share of Ready that must report; 0 asks for none.
	// Nil: DefaultMinCoverage where Usage is a shipped series or Coverage is
	// given, else none, for nobody knows what a query of one's own sums up.
	MinCoverage *float64
	// Ready is how many replicas serve. Of 0 no share can report.
	Ready int
	// Leaving are those of them that take no work because they are to go: they
	// need not report.
	Leaving int
	// Since is when what is asked about may have changed, by the clock of Read's
	// now and not after it: what was read for others before that does not answer.
	// Zero: it may have been read a moment ago.
	Since time.Time
}

// plan is a Query with every expression traced back to what it selects: the
// shipped series, which the snapshot has, or a question to ask.
type plan struct {
	usage, capacity, coverage source
	// predicted is set where foresees is.
	predicted source
	foresees  bool
	// perReplica is the capacity where it is a number.
	perReplica float64
	// divide is set where capacity is the sum over the replicas that report.
	divide      bool
	minCoverage float64
}

// source is where a number comes from: one of the shipped series, or PromQL.
type source struct {
	// series and key name a shipped series; series is empty for PromQL.
	series string
	key    key
	expr   string
	// plain is set where expr selects series and does nothing else, so that
	// Prometheus can tell when its samples were taken.
	plain bool
}

func (s source) shipped() bool { return s.series != "" }

// sourceOf recognizes the shipped series where they are written out, as they
// are in the documentation, and takes def for an expression that is empty.
func sourceOf(expr string, def source) source {
	if expr == "" {
		return def
	}
	sel, ok := parseSelector(expr)
	if !ok {
		return source{expr: expr}
	}
	switch sel.name {
	case seriesUsage, seriesCapacity, seriesPredicted:
		if len(sel.equal) == 2 && sel.only(labelTarget, labelResource) {
			return source{series: sel.name, key: key{sel.equal[labelTarget], sel.equal[labelResource]}}
		}
	case seriesReporting:
		if len(sel.equal) == 1 && sel.only(labelTarget) {
			return source{series: sel.name, key: key{target: sel.equal[labelTarget]}}
		}
	}
	return source{expr: expr, plain: true}
}

func (q Query) plan() plan {
	k := key{q.ScaleTarget, q.Resource}
	p := plan{
		usage:      sourceOf(q.Usage, source{series: seriesUsage, key: k}),
		capacity:   sourceOf(q.Capacity, source{series: seriesCapacity, key: k}),
		coverage:   sourceOf(q.Coverage, source{series: seriesReporting, key: key{target: q.ScaleTarget}}),
		predicted:  sourceOf(q.Predicted, source{}),
		foresees:   q.Predicted != "",
		perReplica: q.CapacityPerReplica,
		divide:     q.Capacity == "",
	}
	switch {
	case q.MinCoverage != nil:
		p.minCoverage = *q.MinCoverage
	case p.usage.shipped() || q.Coverage != "":
		p.minCoverage = DefaultMinCoverage
	}
	if q.Ready <= 0 {
		p.minCoverage = 0
	}
	return p
}

// asks reports whether the plan needs questions of its own.
func (p plan) asks() bool {
	return !p.usage.shipped() ||
		p.perReplica == 0 && !p.capacity.shipped() ||
		p.minCoverage > 0 && !p.coverage.shipped() ||
		p.foresees && !p.predicted.shipped()
}

// want is a shipped series of one resource; the count has none.
type want struct{ series, resource string }

// wants appends the shipped series that the plan needs.
func (p plan) wants(all []want) []want {
	add := func(src source) {
		if src.shipped() {
			all = append(all, want{src.series, src.key.resource})
		}
	}
	add(p.usage)
	add(p.predicted)
	if p.minCoverage > 0 {
		add(p.coverage)
	}
	if p.perReplica == 0 {
		add(p.capacity)
		if p.divide {
			add(source{series: seriesReporting})
		}
	}
	return all
}
