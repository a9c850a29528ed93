package hpa

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	utilruntime "k8s.io/apimachinery/pkg/util/runtime"
	"k8s.io/klog/v2"

	"github.com/alertscaler/alertscaler/scaler/simulate/plant"
	"github.com/alertscaler/alertscaler/testdata/compare/peers"
	"github.com/alertscaler/alertscaler/testdata/compare/workload"
)

func TestMain(m *testing.M) {
	// The controller reports each scaling; nobody reads that here.
	klog.SetOutput(io.Discard)
	klog.LogToStderr(false)
	// The usual handlers log and wait; here nothing may go wrong.
	utilruntime.ErrorHandlers = []utilruntime.ErrorHandler{
		func(_ context.Context, err error, msg string, _ ...any) {
			panic(fmt.Sprintf("the controller: %s: %v", msg, err))
		},
	}
	flag.Parse()
	os.Exit(m.Run())
}

// whole runs the traces to their end, not only their first hours. That takes
// longer than the time that go test allows by itself.
var whole = flag.Bool("whole", false, "run whole traces")

// TestModelIsTheController plays traces against both: at every control the
// same replicas, however usage moves and whatever is set.
func TestModelIsTheController(t *testing.T) {
	cases := []struct {
		target    float64
		window    time.Duration
		tolerance float64
		delay     time.Duration
	}{
		{0.7, peers.HPAWindow, peers.HPATolerance, time.Minute},
		{0.45, 15 * time.Minute, 0.05, time.Minute},
		{0.83, time.Minute, 0.2, 10 * time.Second},
		{0.6, 0, 0, 10 * time.Second},
	}
	hours := 3
	if testing.Short() {
		cases, hours = cases[:2], 2
	}
	traces, err := workload.Traces(os.Getenv("TRACES"))
	if err != nil {
		t.Fatal(err)
	}
	demands, err := workload.Demands(workload.Refined(traces))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range cases {
		model := func() *peers.HPA {
			h := peers.NewHPA(c.target)
			h.Window, h.Tolerance = c.window, c.tolerance
			return h
		}
		for _, d := range demands {
			if !*whole {
				d.Values = d.Values[:min(len(d.Values), hours*720)]
			}
			t.Run(fmt.Sprintf("%s at %v, %s, %v", d.Name, c.target, c.window, c.tolerance), func(t *testing.T) {
				t.Parallel()
				same(t, d, model, c.delay)
			})
		}
	}
}

func same(t *testing.T, d plant.Demand, newModel func() *peers.HPA, delay time.Duration) {
	var model, controller []int
	want := plant.Run(d, newModel(), plant.Options{
		Delay: delay, Observe: func(_, requested, _ int) { model = append(model, requested) },
	})
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		defer func() { cancel(); synctest.Wait() }()
		c := newCluster(ctx, t, newModel(), int(plant.Need(d.Values[0])))
		got := plant.Run(d, c, plant.Options{
			Delay: delay, Observe: func(_, requested, _ int) { controller = append(controller, requested) },
		})
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("measures differ (-model +controller):\n%s", diff)
		}
	})
	for i := range model {
		if model[i] != controller[i] {
			t.Fatalf("at %s the model requests %d, the controller %d", time.Duration(i)*d.Step, model[i], controller[i])
		}
	}
	if len(controller) != len(d.Values) {
		t.Fatalf("%d steps of %d", len(controller), len(d.Values))
	}
}
