// Package workload loads what the contenders are tried on.
package workload

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/alertscaler/alertscaler/scaler/simulate/plant"
)

// Seed of the generated traces, and of what traces are refined with.
const Seed = 1

// Traces reads every CSV file of a folder, by name, or, without a folder,
// generates traces at steps of five seconds.
func Traces(dir string) ([]plant.Trace, error) {
	if dir == "" {
		return plant.GeneratedFine(Seed), nil
	}
	files, err := filepath.Glob(filepath.Join(dir, "*.csv"))
	if err != nil {
		return nil, fmt.Errorf("looking for traces: %w", err)
	}
	if len(files) == 0 {
		return nil, fmt.Errorf("no *.csv in %s", dir)
	}
	slices.Sort(files)
	traces := make([]plant.Trace, len(files))
	for i, file := range files {
		if traces[i], err = read(file); err != nil {
			return nil, fmt.Errorf("%s: %w", file, err)
		}
	}
	return traces, nil
}

func read(file string) (plant.Trace, error) {
	f, err := os.Open(file)
	if err != nil {
		return plant.Trace{}, err
	}
	defer f.Close()
	t, err := plant.ReadCSV(f)
	t.Name = strings.TrimSuffix(filepath.Base(file), ".csv")
	return t, err
}

// Refined are the traces at steps of five seconds: see plant.Trace.Refined.
func Refined(traces []plant.Trace) []plant.Trace {
	out := make([]plant.Trace, len(traces))
	for i, t := range traces {
		out[i] = t.Refined(Seed)
	}
	return out
}

// Set is workloads with the rules under which they are played.
type Set struct {
	// Name has the delay, and says where the demand between samples comes
	// from.
	Name    string
	Demands []plant.Demand
	Rules   plant.Options
	// Refined is whether demand moves every five seconds; if not, it goes in
	// straight lines from sample to sample.
	Refined bool
}

// Sets are the traces as they are, where any has samples that are further
// apart than five seconds, with a delay of a minute, and refined, with a minute
// and ten seconds.
func Sets(traces []plant.Trace) ([]Set, error) {
	minute, quick := plant.Options{Delay: time.Minute}, plant.Options{Delay: 10 * time.Second}
	refined, err := Demands(Refined(traces))
	if err != nil {
		return nil, err
	}
	sets := []Set{{"60 s, demand every 5 s", refined, minute, true}, {"10 s, demand every 5 s", refined, quick, true}}
	if !slices.ContainsFunc(traces, func(t plant.Trace) bool { return t.Interval > plant.DefaultStep }) {
		return sets, nil
	}
	lines, err := Demands(traces)
	if err != nil {
		return nil, err
	}
	return append([]Set{{"60 s, straight lines between samples", lines, minute, false}}, sets...), nil
}

// Demands are the traces as they are played.
func Demands(traces []plant.Trace) ([]plant.Demand, error) {
	demands := make([]plant.Demand, len(traces))
	for i, t := range traces {
		var err error
		if demands[i], err = plant.Prepare(t, plant.Shape{}); err != nil {
			return nil, err
		}
	}
	return demands, nil
}
