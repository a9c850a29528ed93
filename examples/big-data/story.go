package main

import (
	"context"
	"fmt"
	"math"
	"time"

	"github.com/alertscaler/alertscaler/examples/internal/house"
	"github.com/alertscaler/alertscaler/scaler/policy"
)

// What there is to do. Workers do 4 jobs a second each, and are asked to be
// done within 30 seconds: 6 workers for the one queue, 8 for the other.
const (
	etlJobs     = 720
	reportsJobs = 960
)

// tell adds jobs, and watches the workers come, share and go.
func tell(ctx context.Context, h *house.House) error {
	add := func(queue string, n int) func(context.Context) error {
		return func(ctx context.Context) error {
			return house.Post(ctx, fmt.Sprintf("http://%s/%s/add?n=%d", queueAddress, queue, n), nil)
		}
	}
	return (&house.Story{
		House:    h,
		Policies: []string{"etl", "reports"},
		Aside: func(ctx context.Context) string {
			return fmt.Sprintf("to do: etl %s, reports %s", jobsOf(ctx, h, "etl"), jobsOf(ctx, h, "reports"))
		},
		Chapters: []house.Chapter{
			{
				Title: "Both queues are empty: there are no workers.",
				Until: func(s *house.Scene) bool {
					return s.Settled("etl", warm(s)) && s.Settled("reports", 0) &&
						s.Saw("etl", policy.ReasonNoAlert) && s.Saw("reports", policy.ReasonNoAlert)
				},
				Within: time.Minute,
			},
			{
				Title:  fmt.Sprintf("%d jobs come in for etl: workers from zero, as many as do them in time.", etlJobs),
				Begin:  add("etl", etlJobs),
				Until:  func(s *house.Scene) bool { return s.Settled("etl", 6) },
				Within: time.Minute,
			},
			{
				Title: fmt.Sprintf("%d jobs come in for reports, which has what etl leaves of the budget.", reportsJobs),
				Begin: add("reports", reportsJobs),
				Until: func(s *house.Scene) bool {
					return s.Saw("reports", policy.ReasonBudgetLimited) && s.Settled("reports", 2)
				},
				Within: time.Minute,
			},
			{
				Title: "etl has nothing left to do and gives up its workers; reports takes them over.",
				Until: func(s *house.Scene) bool {
					return s.Requested("etl") == warm(s) && s.Requested("reports") > 2
				},
				Within: 3 * time.Minute,
			},
			{
				Title: "All is done, every job once: back to zero.",
				Until: func(s *house.Scene) bool {
					return s.Settled("etl", warm(s)) && s.Settled("reports", 0) &&
						s.Query(`sum(queue_jobs_done_total)`) == etlJobs+reportsJobs
				},
				Within: 4 * time.Minute,
			},
		},
	}).Tell(ctx)
}

func jobsOf(ctx context.Context, h *house.House, queue string) string {
	n := h.Query(ctx, fmt.Sprintf("queue_backlog{queue=%q}", queue))
	if math.IsNaN(n) {
		return "?"
	}
	return fmt.Sprint(n)
}

// warm is how many workers etl keeps at this hour: none, and two where the
// example is run at night.
func warm(s *house.Scene) int {
	reserved := s.Query(`max(alertscaler_policy_reserved{policy="etl"} >= 0)`)
	if math.IsNaN(reserved) {
		return 0
	}
	return int(math.Ceil(reserved / 120))
}
