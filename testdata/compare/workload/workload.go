// Package workload loads what the contenders are tried on.
package workload

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/alertscaler/alertscaler/scaler/simulate/plant"
)

// Seed of the generated traces.
const Seed = 1

// Load prepares every CSV file of a folder, by name, or, without a folder,
// the generated traces.
func Load(dir string) ([]plant.Demand, error) {
	traces, err := load(dir)
	if err != nil {
		return nil, err
	}
	demands := make([]plant.Demand, len(traces))
	for i, t := range traces {
		if demands[i], err = plant.Prepare(t, plant.Shape{}); err != nil {
			return nil, err
		}
	}
	return demands, nil
}

func load(dir string) ([]plant.Trace, error) {
	if dir == "" {
		return plant.Generated(Seed), nil
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
