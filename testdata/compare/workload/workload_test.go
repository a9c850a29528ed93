package workload_test

import (
	"os"
	"slices"
	"testing"
	"time"

	"github.com/alertscaler/alertscaler/scaler/simulate/plant"
	"github.com/alertscaler/alertscaler/testdata/compare/workload"
)

func TestGeneratedTracesAreFineAndDomainsOfTheirOwn(t *testing.T) {
	traces, err := workload.Traces("")
	if err != nil {
		t.Fatal(err)
	}
	for i, fine := range workload.Refined(traces) {
		if fine.Interval != plant.DefaultStep || len(fine.Values) != len(traces[i].Values) {
			t.Errorf("%s: %d values every %s", fine.Name, len(fine.Values), fine.Interval)
		}
		if d := workload.Domain(fine.Name); d != fine.Name {
			t.Errorf("%s is of %s", fine.Name, d)
		}
	}
}

func TestARefinedTraceIsPlayedForAsLong(t *testing.T) {
	traces := []plant.Trace{{Name: "slow", Interval: 10 * time.Minute, Values: []float64{1, 3, 2, 5}}}
	recorded, err := workload.Demands(traces)
	if err != nil {
		t.Fatal(err)
	}
	refined, err := workload.Demands(workload.Refined(traces))
	if err != nil {
		t.Fatal(err)
	}
	if len(recorded[0].Values) != len(refined[0].Values) || len(refined[0].Values) != 4*12 {
		t.Errorf("%d steps recorded, %d refined", len(recorded[0].Values), len(refined[0].Values))
	}
}

// The generators' arrivals are made to be as uneven as recorded ones are.
func TestArrivalsAreAsUnevenAsRecordedOnes(t *testing.T) {
	if os.Getenv("TRACES") == "" {
		t.Skip("TRACES names no folder of recorded traces")
	}
	traces, err := workload.Traces(os.Getenv("TRACES"))
	if err != nil {
		t.Fatal(err)
	}
	i := slices.IndexFunc(traces, func(t plant.Trace) bool { return t.Name == "azure_llm_conv" })
	if i < 0 {
		t.Skip("azure_llm_conv is not among them")
	}
	// What independent arrivals with 70 in work have.
	if within := traces[i].Dispersion().Within(); within < 0.9/70 || within > 1.1/70 {
		t.Errorf("within its samples it varies by %v", within)
	}
}

func TestDomainsOfTheSameKind(t *testing.T) {
	if a, b := workload.Domain("azure_llm_code"), workload.Domain("azure_llm_conv"); a != b {
		t.Errorf("%s and %s", a, b)
	}
}
