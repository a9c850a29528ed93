package main

import (
	"context"
	"errors"
	"fmt"
	"math"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

const policyName = "web"

// story watches the loop and tells what happens.
type story struct {
	load    *load
	house   *house
	started time.Time

	first, highest, last int
	lastDecision         string
	lastLine             time.Time
	lastShown            status
}

// status is what the demo reads of Alertscaler's API.
type status struct {
	AlertsUp    int    `json:"alerts_up"`
	AlertsDown  int    `json:"alerts_down"`
	Explanation string `json:"explanation"`
	Targets     []struct {
		Requested int `json:"requested"`
		Ready     int `json:"ready"`
	} `json:"targets"`
	Last struct {
		Reason  string `json:"reason"`
		Desired int    `json:"desired"`
		Current int    `json:"current"`
	} `json:"last_decision"`
}

func (s *status) replicas() (requested, ready int) {
	for _, t := range s.Targets {
		requested += t.Requested
		ready += t.Ready
	}
	return requested, ready
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
		if err := s.house.dead(); err != nil {
			return err
		}
		st, err := s.read(ctx)
		if err == nil {
			s.line(ctx, st)
			requested, ready := st.replicas()
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

func (s *story) read(ctx context.Context) (status, error) {
	var answer struct {
		Data status `json:"data"`
	}
	err := getJSON(ctx, http.DefaultClient, alertscalerURL+"/api/v1/policies/"+policyName, &answer)
	return answer.Data, err
}

// line prints one line where something changed, and every fifteen seconds.
func (s *story) line(ctx context.Context, st status) {
	requested, ready := st.replicas()
	shownRequested, shownReady := s.lastShown.replicas()
	changed := requested != shownRequested || ready != shownReady ||
		st.Last.Reason != s.lastShown.Last.Reason ||
		(st.AlertsUp > 0) != (s.lastShown.AlertsUp > 0) || (st.AlertsDown > 0) != (s.lastShown.AlertsDown > 0)
	if !changed && time.Since(s.lastLine) < 15*time.Second {
		return
	}
	s.lastLine, s.lastShown = time.Now(), st
	p := s.load.rate.Load().(phase)
	fmt.Printf("%6s  %-18s %-22s %-14s %-14s %s\n",
		time.Since(s.started).Round(time.Second),
		fmt.Sprintf("%s, %.0f req/s", p.name, p.rate),
		number(s.query(ctx, "usage"))+" / "+number(s.query(ctx, "capacity"))+" cores",
		alerts(st), fmt.Sprintf("%d (%d ready)", requested, ready), st.Last.Reason)
	if st.Last.Current != st.Last.Desired && st.Explanation != s.lastDecision {
		s.lastDecision = st.Explanation
		fmt.Printf("%6s  ↳ %s\n", "", st.Explanation)
	}
}

func alerts(st status) string {
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

// query reads one recorded series from Prometheus; NaN where it is not there.
func (s *story) query(ctx context.Context, kind string) float64 {
	var answer struct {
		Data struct {
			Result []struct {
				Value [2]any `json:"value"`
			} `json:"result"`
		} `json:"data"`
	}
	q := fmt.Sprintf(`scale_target_resource:%s:sum{scale_target=%q,resource="cpu"}`, kind, policyName)
	if err := getJSON(ctx, http.DefaultClient, prometheusURL+"/api/v1/query?query="+url.QueryEscape(q), &answer); err != nil || len(answer.Data.Result) != 1 {
		return math.NaN()
	}
	text, _ := answer.Data.Result[0].Value[1].(string)
	v, err := strconv.ParseFloat(text, 64)
	if err != nil {
		return math.NaN()
	}
	return v
}

func number(v float64) string {
	if math.IsNaN(v) {
		return "?"
	}
	return strconv.FormatFloat(v, 'f', 2, 64)
}

// summary says what came of it.
func (s *story) summary(err error) {
	fmt.Printf("\nReplicas: %d → %d → %d in %s. Requests: %d served, %d failed.\n",
		s.first, s.highest, s.last, time.Since(s.started).Round(time.Second), s.load.served.Load(), s.load.failed.Load())
	if err != nil {
		fmt.Printf("It did not happen as it should: %s. The logs are in %s.\n", err, s.house.data)
	}
}
