package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/alertscaler/alertscaler/examples/internal/house"
	"github.com/alertscaler/alertscaler/scaler/status"
)

const name = "shop"

// Requests per second, each of which takes a tenth of a core for a second.
const (
	calm = 4
	rush = 34
)

// tell raises the load and lets it fall, and watches the machines.
func tell(ctx context.Context, h *house.House) error {
	load := house.NewLoad(func(context.Context) ([]string, error) { return addresses(h.Data) })
	h.Go(load.Run)
	return (&house.Story{
		House:    h,
		Policies: []string{name},
		Aside: func(ctx context.Context) string {
			st, err := h.Policy(ctx, name)
			if err != nil {
				return ""
			}
			return fmt.Sprintf("%.0f requests/s, cpu %s of %s cores, %s", load.Rate(),
				house.Number(h.Query(ctx, series("usage", "cpu"))), house.Number(h.Query(ctx, series("capacity", "cpu"))), bill(st))
		},
		Chapters: []house.Chapter{
			{
				Title: "There is nothing yet. The playbook makes the minimum: one machine that stays, and a cheap one.",
				Until: func(s *house.Scene) bool {
					return s.Settled(name, 2) && s.Target(name, "spot") == 1 && s.Query(series("usage", "cpu")) >= 0
				},
				Within: 3 * time.Minute,
			},
			{
				Title: fmt.Sprintf("The load rises to %d requests/s: spot machines first, then on-demand ones.", rush),
				Begin: func(context.Context) error { load.SetRate(rush); return nil },
				Until: func(s *house.Scene) bool {
					return s.Settled(name, 4) && s.Target(name, "spot") == 2
				},
				Within: 4 * time.Minute,
			},
			{
				Title: fmt.Sprintf("The load falls to %d requests/s: back to the minimum, one of each.", calm),
				Begin: func(context.Context) error { load.SetRate(calm); return nil },
				Until: func(s *house.Scene) bool {
					return s.Settled(name, 2) && s.Target(name, "on-demand") == 1
				},
				Within: 5 * time.Minute,
			},
		},
	}).Tell(ctx)
}

// addresses are those of the machines that the playbook has written down for
// Prometheus.
func addresses(data string) ([]string, error) {
	files, err := filepath.Glob(filepath.Join(data, "machines-*.json"))
	if err != nil {
		return nil, err
	}
	var all []string
	for _, file := range files {
		b, err := os.ReadFile(file)
		if err != nil {
			return nil, err
		}
		var groups []struct {
			Targets []string `json:"targets"`
		}
		if err := json.Unmarshal(b, &groups); err != nil {
			return nil, fmt.Errorf("%s: %w", file, err)
		}
		for _, g := range groups {
			all = append(all, g.Targets...)
		}
	}
	return all, nil
}

// bill says which machines there are and what they cost.
func bill(st status.Policy) string {
	var text strings.Builder
	cost := 0.0
	for _, t := range st.Targets {
		fmt.Fprintf(&text, "%d %s, ", t.Requested, t.Name)
		if t.CostPerHour != nil {
			cost += float64(t.Requested) * *t.CostPerHour
		}
	}
	return fmt.Sprintf("%s%.2f an hour", text.String(), cost)
}

func series(kind, resource string) string {
	return fmt.Sprintf("scale_target_resource:%s:sum{scale_target=%q, resource=%q}", kind, name, resource)
}
