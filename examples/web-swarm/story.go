package main

import (
	"context"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/alertscaler/alertscaler/examples/internal/house"
	"github.com/alertscaler/alertscaler/scaler/policy"
)

const policyName = "web"

// Requests per second. A replica is to serve 10, with a fifth of all kept free.
const (
	calm = 6
	rush = 44
)

// tell raises the load, breaks the database, lets the load fall, and repairs
// the database.
func (s *site) tell(ctx context.Context, h *house.House) error {
	var down atomic.Bool
	var n atomic.Int64
	load := house.NewLoad(s.swarm.addresses)
	load.SetPath(func() string {
		if down.Load() && n.Add(1)%2 == 0 {
			return "/?database=down"
		}
		return "/"
	})
	load.SetRate(calm)
	h.Go(load.Run)

	return (&house.Story{
		House:    h,
		Policies: []string{policyName},
		Aside: func(ctx context.Context) string {
			return fmt.Sprintf("%.0f requests/s, cpu %s of %s cores", load.Rate(),
				house.Number(h.Query(ctx, series("usage", "cpu"))), house.Number(h.Query(ctx, series("capacity", "cpu"))))
		},
		Chapters: []house.Chapter{
			{
				Title: fmt.Sprintf("Two replicas serve %d requests/s; Prometheus finds them and cAdvisor measures them.", calm),
				Until: func(sc *house.Scene) bool {
					return sc.Settled(policyName, 2) && sc.Query(series("usage", "requests")) > 0 && sc.Query(series("usage", "cpu")) >= 0
				},
				Within: 3 * time.Minute,
			},
			{
				Title: fmt.Sprintf("The load rises to %d requests/s.", rush),
				Begin: func(context.Context) error { load.SetRate(rush); return nil },
				Until: func(sc *house.Scene) bool {
					return sc.Requested(policyName) >= 5 && sc.Ready(policyName) == sc.Requested(policyName)
				},
				Within: 3 * time.Minute,
			},
			{
				Title:  "The database goes down, and half of the requests fail: the error budget burns.",
				Begin:  func(context.Context) error { down.Store(true); return nil },
				Until:  func(sc *house.Scene) bool { return len(sc.Status[policyName].BlockDown) > 0 },
				Within: 2 * time.Minute,
			},
			{
				Title: fmt.Sprintf("The load falls to %d requests/s. Fewer replicas would do, and none is taken away.", calm),
				Begin: func(context.Context) error { load.SetRate(calm); return nil },
				Until: func(sc *house.Scene) bool {
					return sc.Saw(policyName, policy.ReasonBlocked) && sc.Requested(policyName) >= 5
				},
				Within: 3 * time.Minute,
			},
			{
				Title:  "The database is back. Once the budget no longer burns, two replicas are left.",
				Begin:  func(context.Context) error { down.Store(false); return nil },
				Until:  func(sc *house.Scene) bool { return sc.Settled(policyName, 2) },
				Within: 4 * time.Minute,
			},
		},
	}).Tell(ctx)
}

func series(kind, resource string) string {
	return fmt.Sprintf("scale_target_resource:%s:sum{scale_target=%q, resource=%q}", kind, name, resource)
}
