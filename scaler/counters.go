package scaler

import (
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/alertscaler/alertscaler/scaler/action"
	"github.com/alertscaler/alertscaler/scaler/ledger"
	"github.com/alertscaler/alertscaler/scaler/policy"
	"github.com/alertscaler/alertscaler/scaler/target"
	"github.com/alertscaler/alertscaler/scaler/victims"
)

// failureReasons is the closed list of an action's failure reasons. A no-op is
// none, and a conflict that persists is decided anew.
var failureReasons = append(withoutNoOp(), action.NotConverged)

func withoutNoOp() []string {
	var out []string
	for _, k := range target.Kinds {
		if k != target.KindNoOp && k != target.KindConflict {
			out = append(out, string(k))
		}
	}
	return out
}

var directions = []policy.Direction{policy.Up, policy.Down, policy.None}

// counters count what one policy did. They are plain numbers, not metrics, so
// that ten thousand policies with every label combination fit into memory.
//
// All methods are safe for concurrent use.
type counters struct {
	mu sync.Mutex // guards everything below
	// decisions by direction and reason, in the order of the two lists.
	decisions []uint64
	actions   map[actionKey]uint64
	failures  map[failureKey]uint64
	// foreign changes by target, and readings that could not be used.
	foreign  map[string]uint64
	problems map[problemKey]uint64
	// provisioning times by target.
	provisioning map[string]*durations
	// drains are replicas that were to finish before they go, by what became
	// of that.
	drains map[drainKey]uint64
}

// provisioningBuckets are the upper bounds of the histogram, in seconds.
var provisioningBuckets = []float64{1, 2.5, 5, 10, 20, 40, 60, 120, 300, 600, 900}

// durations is a histogram over provisioningBuckets.
type durations struct {
	count uint64
	sum   float64
	// within counts those of each bucket and all before it.
	within []uint64
}

// buckets are those of a constant histogram. Of nothing they are empty.
func (d *durations) buckets() (count uint64, sum float64, within map[float64]uint64) {
	within = make(map[float64]uint64, len(provisioningBuckets))
	for i, bound := range provisioningBuckets {
		within[bound] = 0
		if d != nil {
			within[bound] = d.within[i]
		}
	}
	if d == nil {
		return 0, 0, within
	}
	return d.count, d.sum, within
}

type problemKey struct {
	resource string
	problem  policy.Problem
}

type actionKey struct {
	target    string
	direction policy.Direction
}

type failureKey struct{ target, reason string }

type drainKey struct{ target, result string }

var drainResults = []string{victims.Drained, victims.TimedOut, victims.Cancelled}

func newCounters() *counters {
	return &counters{decisions: make([]uint64, len(directions)*len(policy.Reasons))}
}

// snapshot is a copy that nobody counts in, so that whoever renders it may
// take its time.
func (c *counters) snapshot() *counters {
	c.mu.Lock()
	defer c.mu.Unlock()
	s := &counters{
		decisions: slices.Clone(c.decisions), actions: maps.Clone(c.actions), failures: maps.Clone(c.failures),
		foreign: maps.Clone(c.foreign), problems: maps.Clone(c.problems), drains: maps.Clone(c.drains),
		provisioning: make(map[string]*durations, len(c.provisioning)),
	}
	for target, d := range c.provisioning {
		s.provisioning[target] = &durations{count: d.count, sum: d.sum, within: slices.Clone(d.within)}
	}
	return s
}

// count adds one in a map that is made when it is needed, and returns it.
func count[K comparable](m map[K]uint64, key K) map[K]uint64 {
	if m == nil {
		m = make(map[K]uint64, 1)
	}
	m[key]++
	return m
}

func (c *counters) decided(d *policy.Decision) {
	c.mu.Lock()
	defer c.mu.Unlock()
	i, j := slices.Index(directions, d.Direction), slices.Index(policy.Reasons, d.Reason)
	if i >= 0 && j >= 0 {
		c.decisions[i*len(policy.Reasons)+j]++
	}
	for i := range d.Requirements {
		if q := &d.Requirements[i]; q.Problem != "" {
			c.problems = count(c.problems, problemKey{q.Resource, q.Problem})
		}
	}
}

func (c *counters) acted(a *ledger.Action) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.actions = count(c.actions, actionKey{a.Target, a.Direction})
}

func (c *counters) failed(targetName, reason string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.failures = count(c.failures, failureKey{targetName, reason})
}

func (c *counters) drained(targetName, result string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.drains = count(c.drains, drainKey{targetName, result})
}

func (c *counters) foreignChange(targetName string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.foreign = count(c.foreign, targetName)
}

func (c *counters) provisioned(targetName string, took time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.provisioning == nil {
		c.provisioning = make(map[string]*durations, 1)
	}
	d := c.provisioning[targetName]
	if d == nil {
		d = &durations{within: make([]uint64, len(provisioningBuckets))}
		c.provisioning[targetName] = d
	}
	d.count++
	d.sum += took.Seconds()
	for i, bound := range provisioningBuckets {
		if took.Seconds() <= bound {
			d.within[i]++
		}
	}
}
