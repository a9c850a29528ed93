package house

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/alertscaler/alertscaler/scaler/status"
)

var client = &http.Client{Timeout: 5 * time.Second}

// GetJSON reads url, and its body into v unless that is nil. Anything but
// status 200 is an error.
func GetJSON(ctx context.Context, url string, v any) error {
	return call(ctx, http.MethodGet, url, v)
}

// Post sends an empty POST and reads the answer as GetJSON does.
func Post(ctx context.Context, url string, v any) error {
	return call(ctx, http.MethodPost, url, v)
}

func call(ctx context.Context, method, url string, v any) error {
	req, err := http.NewRequestWithContext(ctx, method, url, http.NoBody)
	if err != nil {
		return err
	}
	resp, err := client.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		text, _ := io.ReadAll(io.LimitReader(resp.Body, 512))
		return fmt.Errorf("%s %s: %s %s", method, url, resp.Status, strings.TrimSpace(string(text)))
	}
	if v == nil {
		_, err = io.Copy(io.Discard, resp.Body)
		return err
	}
	return json.NewDecoder(resp.Body).Decode(v)
}

// Policy reads what Alertscaler says of a policy.
func (h *House) Policy(ctx context.Context, name string) (status.Policy, error) {
	var answer struct {
		Data status.Policy `json:"data"`
	}
	err := GetJSON(ctx, h.Alertscaler+"/api/v1/policies/"+name, &answer)
	return answer.Data, err
}

// Discovered are the addresses of the replicas that Alertscaler runs itself, by
// its HTTP service discovery.
func (h *House) Discovered(ctx context.Context) ([]string, error) {
	var groups []struct {
		Targets []string `json:"targets"`
	}
	err := GetJSON(ctx, h.Alertscaler+"/sd/targets", &groups)
	var all []string
	for _, g := range groups {
		all = append(all, g.Targets...)
	}
	return all, err
}

// Query is the value of a PromQL expression; NaN where it has not exactly one.
func (h *House) Query(ctx context.Context, expr string) float64 {
	var answer struct {
		Data struct {
			Result []struct {
				Value [2]any `json:"value"`
			} `json:"result"`
		} `json:"data"`
	}
	err := GetJSON(ctx, h.Prometheus+"/api/v1/query?query="+url.QueryEscape(expr), &answer)
	if err != nil || len(answer.Data.Result) != 1 {
		return math.NaN()
	}
	text, _ := answer.Data.Result[0].Value[1].(string)
	v, err := strconv.ParseFloat(text, 64)
	if err != nil {
		return math.NaN()
	}
	return v
}

// Replicas counts those of all targets of a policy.
func Replicas(s status.Policy) (requested, ready int) {
	for i := range s.Targets {
		requested += s.Targets[i].Requested
		ready += s.Targets[i].Ready
	}
	return requested, ready
}

// Number writes a value for people: two digits, and a question mark for NaN.
func Number(v float64) string {
	if math.IsNaN(v) {
		return "?"
	}
	return strconv.FormatFloat(v, 'f', 2, 64)
}

// Sleep waits for d or the end of ctx.
func Sleep(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}
