// Package recovery keeps a panic in one piece of work from ending the process.
package recovery

import (
	"errors"
	"fmt"
	"runtime/debug"

	"github.com/go-kit/log"
	"github.com/go-kit/log/level"
	"github.com/prometheus/client_golang/prometheus"
)

// What platforms do in goroutines of their own, as the engine names it.
const (
	Reading = "reading of a target"
	Action  = "action"
)

// Panic is a panic that was recovered.
type Panic struct { //nolint:errname // It is what Go calls it.
	// Component is where it was recovered.
	Component string
	Value     any
	Stack     []byte
}

// Error is one line.
func (p *Panic) Error() string {
	return fmt.Sprintf("internal error in the %s: %v", p.Component, p.Value)
}

// Of is the Panic behind err; nil where there is none.
func Of(err error) *Panic {
	if p, ok := errors.AsType[*Panic](err); ok {
		return p
	}
	return nil
}

// Do calls fn and returns its error, or the Panic that it ended in. What ends
// the goroutine, such as runtime.Goexit, is no panic.
func Do(component string, fn func() error) (err error) {
	defer func() {
		// A panic that was recovered once and passed on keeps its stack.
		switch v := recover().(type) {
		case nil:
		case *Panic:
			err = v
		default:
			err = &Panic{Component: component, Value: v, Stack: debug.Stack()}
		}
	}()
	return fn()
}

// Guard counts and logs the panics of some components. It is safe for
// concurrent use.
type Guard struct {
	recovered *prometheus.CounterVec
}

// New returns a guard for these components. Guards on one registry share their
// metric.
func New(reg prometheus.Registerer, components ...string) *Guard {
	c := prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "alertscaler_panics_recovered_total",
		Help: "Panics that were kept from ending the process, each with its stack in the log. Every one is a bug: please report it.",
	}, []string{"component"})
	if reg != nil {
		if err := reg.Register(c); err != nil {
			same, ok := errors.AsType[prometheus.AlreadyRegisteredError](err)
			if !ok {
				panic(err) // as promauto does: it is a mistake of the program
			}
			c = same.ExistingCollector.(*prometheus.CounterVec)
		}
	}
	for _, name := range components {
		c.WithLabelValues(name)
	}
	return &Guard{recovered: c}
}

// Do is Do, and counts and logs a Panic.
func (g *Guard) Do(logger log.Logger, component string, fn func() error) error {
	err := Do(component, fn)
	if p := Of(err); p != nil {
		g.Report(logger, p)
	}
	return err
}

// Report counts and logs a Panic that Do returned.
func (g *Guard) Report(logger log.Logger, p *Panic) {
	g.recovered.WithLabelValues(p.Component).Inc()
	level.Error(logger).Log("msg", "recovered from a panic, please report it", "component", p.Component, "err", fmt.Sprint(p.Value), "stack", string(p.Stack))
}
