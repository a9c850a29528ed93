package plant_test

import (
	"math"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/alertscaler/alertscaler/scaler/simulate/plant"
)

func TestReadCSV(t *testing.T) {
	want := plant.Trace{Interval: 57 * time.Second, Values: []float64{1, 0.5, 0}}
	for name, text := range map[string]string{
		"with heading":    "timestamp_seconds,value\n0,1\n57,0.5\n114,0\n",
		"without heading": "0,1\n57,0.5\n114,0",
		"unix time":       "1700000000,1\n1700000057,.5\n1700000114,0\n",
		"windows":         "\ufefftimestamp_seconds,value\r\n0,1\r\n57,5e-1\r\n114,0\r\n",
		"comments":        "# recorded in May\n\n0, 1\n\n57, 0.5\n# end\n114 ,0\n",
	} {
		got, err := plant.ReadCSV(strings.NewReader(text))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		first := 0.0
		if name == "unix time" {
			first = 1_700_000_000
		}
		if got.First != first {
			t.Errorf("%s: the first row is of %v, want %v", name, got.First, first)
		}
		got.First = 0
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: trace differs (-want +got):\n%s", name, diff)
		}
	}
	if got, err := plant.ReadCSV(strings.NewReader("0,1\n0.1,2\n0.2,3\n0.30000000000000004,1\n")); err != nil || got.Interval != 100*time.Millisecond {
		t.Errorf("tenths of seconds: %v, %v", got.Interval, err)
	}
}

func TestReadCSVNamesTheLine(t *testing.T) {
	for text, want := range map[string]string{
		"":                                      "0 rows, at least 2 are needed",
		"timestamp_seconds,value\n":             "0 rows",
		"0,1\n":                                 "1 rows",
		"a,b\nc,d\n0,1\n60,2\n":                 `line 2: timestamp "c" is not a number`,
		"t,v\n0,1\n60\n":                        `line 3: "60" is not timestamp_seconds,value`,
		"0,1\n60,2,3\n":                         `line 2: "60,2,3" is not timestamp_seconds,value`,
		"0;1\n60;2\n":                           `line 2: "60;2" is not timestamp_seconds,value`,
		"0,x\n60,2\n":                           `line 1: value "x" is not a number`,
		"0,1\n60,NaN\n":                         "line 2: value NaN is not finite",
		"0,1\n60,1e999\n":                       "line 2: value 1e999 is not finite",
		"0,1\ninf,1\n":                          "line 2: timestamp inf is not finite",
		"0,1\n60,-1\n":                          "line 2: value -1 is negative",
		"0,1\n60,1\n60,1\n":                     "line 3: timestamp 60 does not come after 60",
		"0,1\n-60,1\n":                          "line 2: timestamp -60 does not come after 0",
		"0,1\n60,1\n\n180,1\n":                  "line 4: timestamp 180 is 120 s after the last one, the rows before it are 60 s apart",
		"0,0\n60,0\n":                           "no demand",
		"0,1\n1e300,1\n":                        "too long",
		"0,1\n1e-12,1\n":                        "interval 0s",
		"0,1\n60," + strings.Repeat("9", 70000): "token too long",
	} {
		_, err := plant.ReadCSV(strings.NewReader(text))
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.40q: error %v, want %q in it", text, err, want)
		}
	}
}

func FuzzReadCSV(f *testing.F) {
	f.Add("timestamp_seconds,value\n0,1\n60,2\n")
	f.Fuzz(func(t *testing.T, text string) {
		trace, err := plant.ReadCSV(strings.NewReader(text))
		if err != nil {
			return
		}
		if err := trace.Validate(); err != nil {
			t.Errorf("read, but %v", err)
		}
	})
}

func TestScaled(t *testing.T) {
	before := plant.Trace{Values: []float64{1, 2, 6}}
	got := before.Scaled(30)
	if diff := cmp.Diff([]float64{10, 20, 60}, got.Values, near); diff != "" {
		t.Errorf("values differ (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]float64{1, 2, 6}, before.Values); diff != "" {
		t.Errorf("the original was changed:\n%s", diff)
	}
}

func TestPrepareInterpolatesScalesAndCaps(t *testing.T) {
	trace := plant.Trace{Name: "x", Interval: 10 * time.Second, Values: []float64{1, 3, 8}}
	for name, c := range map[string]struct {
		shape plant.Shape
		want  []float64
	}{
		"as compared": {plant.Shape{}, []float64{2.5, 5, 7.5, 13.75, 20, 20}},
		"capped":      {plant.Shape{Cap: 10}, []float64{2.5, 5, 7.5, 10, 10, 10}},
		"mean":        {plant.Shape{Mean: 400, Cap: -1}, []float64{100, 200, 300, 550, 800, 800}},
		"step":        {plant.Shape{Step: 10 * time.Second}, []float64{2.5, 7.5, 20}},
	} {
		d, err := plant.Prepare(trace, c.shape)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if diff := cmp.Diff(c.want, d.Values, near); diff != "" {
			t.Errorf("%s: demand differs (-want +got):\n%s", name, diff)
		}
	}
}

func TestSlowTracesAreReplayedAtAMinuteASample(t *testing.T) {
	for _, c := range []struct {
		interval time.Duration
		shape    plant.Shape
		want     time.Duration
	}{
		{4 * time.Minute, plant.Shape{}, 12 * time.Minute},
		{5 * time.Minute, plant.Shape{}, 3 * time.Minute},
		{time.Hour, plant.Shape{}, 3 * time.Minute},
		{time.Hour, plant.Shape{OwnPace: true}, 3 * time.Hour},
	} {
		d, err := plant.Prepare(plant.Trace{Interval: c.interval, Values: []float64{1, 2, 3}}, c.shape)
		if err != nil {
			t.Fatal(err)
		}
		if d.Duration() != c.want {
			t.Errorf("interval %s, %+v: takes %s, want %s", c.interval, c.shape, d.Duration(), c.want)
		}
	}
}

func TestDemandIsFiniteAndNotNegative(t *testing.T) {
	for _, v := range []float64{math.NaN(), math.Inf(1), -1} {
		if _, err := plant.NewDemand("bad", time.Second, []float64{1, v}); err == nil {
			t.Errorf("%v is accepted", v)
		}
	}
}
