package hpa

import (
	"context"
	"flag"
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
	flag.Parse()
	os.Exit(m.Run())
}

// whole runs the traces to their end, not only their first hours.
var whole = flag.Bool("whole", false, "run whole traces")

// TestModelIsTheController plays traces against both: at every control the
// same replicas, however usage moves.
func TestModelIsTheController(t *testing.T) {
	cases := []struct {
		target float64
		delay  time.Duration
	}{{0.7, time.Minute}, {0.45, time.Minute}, {0.8, 10 * time.Second}}
	hours := 8
	if testing.Short() {
		cases, hours = cases[:1], 2
	}
	for _, c := range cases {
		demands, err := workload.Load(os.Getenv("TRACES"))
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range demands {
			if !*whole {
				d.Values = d.Values[:min(len(d.Values), hours*720)]
			}
			t.Run(d.Name, func(t *testing.T) { same(t, d, c.target, c.delay) })
		}
	}
}

func same(t *testing.T, d plant.Demand, target float64, delay time.Duration) {
	var model, controller []int
	want := plant.Run(d, peers.NewHPA(target), plant.Options{
		Delay: delay, Observe: func(_, requested, _ int) { model = append(model, requested) },
	})
	synctest.Test(t, func(t *testing.T) {
		// The usual handlers log and wait; here nothing may go wrong.
		utilruntime.ErrorHandlers = []utilruntime.ErrorHandler{
			func(_ context.Context, err error, msg string, _ ...any) { t.Errorf("the controller: %s: %v", msg, err) },
		}
		ctx, cancel := context.WithCancel(t.Context())
		defer func() { cancel(); synctest.Wait() }()
		c := newCluster(ctx, t, peers.NewHPA(target).Target, int(plant.Need(d.Values[0])))
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
