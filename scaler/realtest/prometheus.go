package realtest

import (
	"encoding/json"
	"fmt"
	"math"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// PrometheusOptions say how a Prometheus is started. The zero value is a server
// that scrapes nothing.
type PrometheusOptions struct {
	// Config is the content of prometheus.yml.
	Config string
	// Files are put beside it, by relative name: rules, discovery files.
	Files map[string]string
	// Args are added to the command line.
	Args []string
	// Backfill is history that the server has from the start, as OpenMetrics
	// text without the closing EOF. Series writes it.
	Backfill string
}

// Prometheus is a running Prometheus server.
type Prometheus struct {
	*Process
	// URL is where it listens, without a slash at the end.
	URL string
	// Dir has prometheus.yml and the files beside it.
	Dir string
}

// StartPrometheus runs a Prometheus on a free loopback port until the test ends, and
// returns once it is ready. It accepts /-/reload.
func StartPrometheus(t testing.TB, o PrometheusOptions) *Prometheus {
	t.Helper()
	bin := Tool(t, "prometheus")
	dir := t.TempDir()
	data := filepath.Join(dir, "data")
	if err := writeFiles(dir, o.Files); err != nil {
		t.Fatal(err)
	}
	if err := writeFiles(dir, map[string]string{"prometheus.yml": o.Config}); err != nil {
		t.Fatal(err)
	}
	if o.Backfill != "" {
		backfill(t, data, o.Backfill)
	}

	address := "127.0.0.1:" + strconv.Itoa(FreePort(t))
	args := append([]string{
		"--config.file=" + filepath.Join(dir, "prometheus.yml"),
		"--storage.tsdb.path=" + data,
		"--web.listen-address=" + address,
		"--web.enable-lifecycle",
	}, o.Args...)
	p := &Prometheus{Process: Start(t, bin, args...), URL: "http://" + address, Dir: dir}
	p.WaitHTTP(t, p.URL+"/-/ready")
	return p
}

// Reload replaces prometheus.yml and lets the server load it.
func (p *Prometheus) Reload(t testing.TB, config string) {
	t.Helper()
	if err := writeFiles(p.Dir, map[string]string{"prometheus.yml": config}); err != nil {
		t.Fatal(err)
	}
	if err := call(client, http.MethodPost, p.URL+"/-/reload", nil, nil); err != nil {
		t.Fatal(err)
	}
}

// Sample is one element of an instant vector.
type Sample struct {
	Labels map[string]string
	Value  float64
}

// Query evaluates an instant query now. Its result must be a vector, and an
// empty one is no error.
func (p *Prometheus) Query(expr string) ([]Sample, error) {
	return p.QueryAt(expr, time.Now())
}

// QueryAt evaluates an instant query at a time, as Query does.
func (p *Prometheus) QueryAt(expr string, at time.Time) ([]Sample, error) {
	var answer struct {
		Data struct {
			ResultType string `json:"resultType"`
			Result     []struct {
				Metric map[string]string  `json:"metric"`
				Value  [2]json.RawMessage `json:"value"`
			} `json:"result"`
		} `json:"data"`
	}
	query := url.Values{
		"query": {expr},
		"time":  {strconv.FormatFloat(float64(at.UnixMilli())/1000, 'f', 3, 64)},
	}
	if err := call(client, http.MethodGet, p.URL+"/api/v1/query?"+query.Encode(), nil, &answer); err != nil {
		return nil, err
	}
	if answer.Data.ResultType != "vector" {
		return nil, fmt.Errorf("query %s: got a %s, want a vector", expr, answer.Data.ResultType)
	}
	samples := make([]Sample, 0, len(answer.Data.Result))
	for _, r := range answer.Data.Result {
		value, err := strconv.ParseFloat(strings.Trim(string(r.Value[1]), `"`), 64)
		if err != nil {
			return nil, fmt.Errorf("query %s: %w", expr, err)
		}
		samples = append(samples, Sample{Labels: r.Metric, Value: value})
	}
	return samples, nil
}

// Point is one stored sample.
type Point struct {
	At    time.Time
	Value float64
}

// Points are the samples of the series that a selector matches, as they are stored,
// after a moment and until now, in order. The moment is at most an hour ago.
func (p *Prometheus) Points(selector string, after time.Time) ([]Point, error) {
	var answer struct {
		Data struct {
			Result []struct {
				Values [][2]json.RawMessage `json:"values"`
			} `json:"result"`
		} `json:"data"`
	}
	query := url.Values{"query": {selector + "[1h]"}}
	if err := call(client, http.MethodGet, p.URL+"/api/v1/query?"+query.Encode(), nil, &answer); err != nil {
		return nil, err
	}
	var points []Point
	for _, r := range answer.Data.Result {
		for _, v := range r.Values {
			at, err := strconv.ParseFloat(string(v[0]), 64)
			if err != nil {
				return nil, fmt.Errorf("query %s: %w", selector, err)
			}
			value, err := strconv.ParseFloat(strings.Trim(string(v[1]), `"`), 64)
			if err != nil {
				return nil, fmt.Errorf("query %s: %w", selector, err)
			}
			if t := time.UnixMilli(int64(math.Round(at * 1000))); t.After(after) {
				points = append(points, Point{At: t, Value: value})
			}
		}
	}
	slices.SortFunc(points, func(a, b Point) int { return a.At.Compare(b.At) })
	return points, nil
}

// Series writes one series of history for PrometheusOptions.Backfill: values a
// step apart, the first at start. Series of one name must follow each other.
func Series(series string, start time.Time, step time.Duration, values ...float64) string {
	var b strings.Builder
	for i, v := range values {
		at := float64(start.Add(time.Duration(i)*step).UnixMilli()) / 1000
		fmt.Fprintf(&b, "%s %g %.3f\n", series, v, at)
	}
	return b.String()
}

// backfill writes OpenMetrics text as blocks into a Prometheus data directory.
func backfill(t testing.TB, data, history string) {
	t.Helper()
	in := filepath.Join(t.TempDir(), "history.om")
	if err := os.WriteFile(in, []byte(history+"# EOF\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command(Tool(t, "promtool"), "tsdb", "create-blocks-from", "openmetrics", in, data).CombinedOutput()
	if err != nil {
		t.Fatalf("write history: %v\n%s", err, out)
	}
}
