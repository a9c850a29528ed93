package main

import (
	"context"
	"sync/atomic"
	"time"

	"github.com/alertscaler/alertscaler/examples/internal/house"
)

// phase is a stretch of time with one request rate.
type phase struct {
	name  string
	rate  float64 // requests per second
	lasts time.Duration
}

// phases is the load of the demo: it rises, stays, and falls for good.
var phases = []phase{
	{"calm", 4, 15 * time.Second},
	{"rush", 40, 75 * time.Second},
	{"calm", 4, time.Hour},
}

// load goes through the phases, against what HTTP service discovery says of
// the replicas, as Prometheus does.
type load struct {
	*house.Load
	phase atomic.Pointer[phase]
}

func newLoad(h *house.House) *load {
	l := &load{Load: house.NewLoad(h.Discovered)}
	l.phase.Store(&phases[0])
	return l
}

// run sends until ctx ends.
func (l *load) run(ctx context.Context) {
	go func() {
		for i := range phases {
			l.phase.Store(&phases[i])
			l.SetRate(phases[i].rate)
			house.Sleep(ctx, phases[i].lasts)
		}
	}()
	l.Run(ctx)
}
