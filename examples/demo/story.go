package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/alertscaler/alertscaler/examples/internal/house"
	"github.com/alertscaler/alertscaler/scaler/status"
)

const policyName = "web"

// story watches the loop and tells what happens.
type story struct {
	load    *load
	house   *house.House
	started time.Time

	first, highest, last int
	lastDecision         string
	lastLine             time.Time
	lastShown            status.Policy
}

var (
	errNoRise = errors.New("the policy was never scaled up")
	errNoFall = errors.New("the policy was not scaled back down")
)

// tell prints the timeline until the replicas have risen and come back, and
// returns why not where they have not.
func (s *story) tell(ctx context.Context) error {
	fmt.Printf("\nThe load rises from %.0f to %.0f requests/s and falls again. One worker may use 0.1 cores, 30 %% are kept free.\n\n", phases[0].rate, phases[1].rate)
	fmt.Printf("%6s  %-18s %-22s %-14s %-14s %s\n", "time", "load", "cpu used/capacity", "alert", "replicas", "decision")
	for {
		if err := s.house.Dead(); err != nil {
			return err
		}
		st, err := s.house.Policy(ctx, policyName)
		if err == nil {
			s.line(ctx, st)
			requested, ready := house.Replicas(st)
			s.note(requested)
			if s.over(requested, ready) {
				return nil
			}
		}
		select {
		case <-ctx.Done():
			if s.highest <= s.first {
				return errNoRise
			}
			return errNoFall
		case <-time.After(time.Second):
		}
	}
}

// note keeps what the summary tells.
func (s *story) note(requested int) {
	if s.first == 0 {
		s.first = requested
	}
	s.highest = max(s.highest, requested)
	s.last = requested
}

// over reports whether the story has come to its end.
func (s *story) over(requested, ready int) bool {
	rushOver := time.Since(s.started) > phases[0].lasts+phases[1].lasts
	return rushOver && s.highest > s.first && requested == s.first && ready == s.first
}

// line prints one line where something changed, and every fifteen seconds.
func (s *story) line(ctx context.Context, st status.Policy) {
	requested, ready := house.Replicas(st)
	shownRequested, shownReady := house.Replicas(s.lastShown)
	changed := requested != shownRequested || ready != shownReady ||
		reason(st) != reason(s.lastShown) ||
		(st.AlertsUp > 0) != (s.lastShown.AlertsUp > 0) || (st.AlertsDown > 0) != (s.lastShown.AlertsDown > 0)
	if !changed && time.Since(s.lastLine) < 15*time.Second {
		return
	}
	s.lastLine, s.lastShown = time.Now(), st
	p := s.load.phase.Load()
	fmt.Printf("%6s  %-18s %-22s %-14s %-14s %s\n",
		time.Since(s.started).Round(time.Second),
		fmt.Sprintf("%s, %.0f req/s", p.name, p.rate),
		s.query(ctx, "usage")+" / "+s.query(ctx, "capacity")+" cores",
		alerts(st), fmt.Sprintf("%d (%d ready)", requested, ready), reason(st))
	if st.Last != nil && st.Last.Current != st.Last.Desired && st.Explanation != s.lastDecision {
		s.lastDecision = st.Explanation
		fmt.Printf("%6s  ↳ %s\n", "", st.Explanation)
	}
}

func reason(st status.Policy) string {
	if st.Last == nil {
		return ""
	}
	return string(st.Last.Reason)
}

func alerts(st status.Policy) string {
	var names []string
	if st.AlertsUp > 0 {
		names = append(names, "ScaleUp")
	}
	if st.AlertsDown > 0 {
		names = append(names, "ScaleDown")
	}
	if len(names) == 0 {
		return "–"
	}
	return strings.Join(names, ", ")
}

// query reads one recorded series from Prometheus.
func (s *story) query(ctx context.Context, kind string) string {
	return house.Number(s.house.Query(ctx, fmt.Sprintf(`scale_target_resource:%s:sum{scale_target=%q,resource="cpu"}`, kind, policyName)))
}

// summary says what came of it.
func (s *story) summary(err error) {
	fmt.Printf("\nReplicas: %d → %d → %d in %s. Requests: %d served, %d failed.\n",
		s.first, s.highest, s.last, time.Since(s.started).Round(time.Second), s.load.Served(), s.load.Failed())
	if err != nil {
		fmt.Printf("It did not happen as it should: %s. The logs are in %s.\n", err, s.house.Data)
	}
}
