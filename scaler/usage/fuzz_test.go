package usage

import (
	"encoding/json"
	"io"
	"math"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/alertscaler/alertscaler/scaler/policy"
)

// spoken answers questions about the times of samples with times, and all
// others with values.
type spoken struct{ values, times string }

func (s spoken) RoundTrip(r *http.Request) (*http.Response, error) {
	form, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	args, err := url.ParseQuery(string(form))
	if err != nil {
		return nil, err
	}
	body := s.values
	if strings.HasPrefix(args.Get("query"), "timestamp(") {
		body = s.times
	}
	return &http.Response{StatusCode: http.StatusOK, Request: r, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(body))}, nil
}

// spokenNumber is the one number that an answer to a question at noon says
// of web's cpu or, shipped unset, of anything; found by another decoder than
// the one under test.
func spokenNumber(body string, shipped bool) (float64, bool) {
	var answer struct {
		Status string
		Data   struct {
			ResultType string
			Result     json.RawMessage
		}
	}
	if json.Unmarshal([]byte(body), &answer) != nil || answer.Status != "success" {
		return 0, false
	}
	var pair []any
	switch answer.Data.ResultType {
	case "scalar":
		if shipped || json.Unmarshal(answer.Data.Result, &pair) != nil {
			return 0, false
		}
	case "vector":
		var elements []struct {
			Metric map[string]string
			Value  []any
		}
		if json.Unmarshal(answer.Data.Result, &elements) != nil {
			return 0, false
		}
		n := 0
		for _, e := range elements {
			ours := e.Metric["scale_target"] == "web" && e.Metric["resource"] == "cpu"
			if ours || !shipped {
				pair = e.Value
				n++
			}
		}
		if n != 1 {
			return 0, false
		}
	default:
		return 0, false
	}
	if len(pair) != 2 {
		return 0, false
	}
	at, isNumber := pair[0].(float64)
	text, isText := pair[1].(string)
	v, err := strconv.ParseFloat(text, 64)
	ok := isNumber && isText && err == nil && v >= 0 && !math.IsInf(v, 0) && math.Abs(at-float64(noon.Unix())) <= 120
	return v, ok
}

// spokenTime reports whether an answer says of a sample that it is neither too
// old nor of the future.
func spokenTime(body string) bool {
	var answer struct {
		Data struct{ Result []struct{ Value []any } }
	}
	if json.Unmarshal([]byte(body), &answer) != nil {
		return false
	}
	for _, e := range answer.Data.Result {
		if len(e.Value) != 2 {
			return false
		}
		text, _ := e.Value[1].(string)
		if at, err := strconv.ParseFloat(text, 64); err == nil && at >= float64(noon.Unix())-120.001 && at <= float64(noon.Unix())+60.001 {
			return true
		}
	}
	return false
}

// FuzzPrometheus lets the fuzzer say what Prometheus answers. A decision for
// fewer replicas follows from nothing but a clean number of the right time, and
// goes no further than that number needs.
func FuzzPrometheus(f *testing.F) {
	say := func(value string) string {
		return `{"status":"success","data":{"resultType":"vector","result":[{"metric":{"scale_target":"web","resource":"cpu"},"value":[` + seconds(noon) + `,` + value + `]}]}}`
	}
	fresh := say(strconv.Quote(seconds(noon)))
	for kind := range byte(3) {
		f.Add(kind, say(`"3"`), fresh)
		f.Add(kind, say(`"3"`), `{"status":"success","data":{"resultType":"vector","result":[{"metric":{},"value":[`+seconds(noon)+`,"`+seconds(noon)+`"]}]}}`)
		f.Add(kind, `{"status":"success","data":{"resultType":"scalar","result":[`+seconds(noon)+`,"3"]}}`, fresh)
		f.Add(kind, say(`"NaN"`), fresh)
		f.Add(kind, say(`"3"`), say(`"NaN"`))
		none := `{"status":"success","data":{"resultType":"vector","result":[]}}`
		one := `{"metric":{"scale_target":"web","resource":"cpu"},"value":[` + seconds(noon) + `,"3"]}`
		f.Add(kind, none, fresh)
		f.Add(kind, none, none)
		f.Add(kind, say(`"3"`), none)
		f.Add(kind, strings.Replace(none, "[]", "["+one+","+one+"]", 1), fresh)
		f.Add(kind, say(`"3"`), say(strconv.Quote(seconds(noon.Add(time.Hour)))))
		f.Add(kind, say(`"3"`), say(strconv.Quote(seconds(noon.Add(-time.Hour)))))
		for _, other := range foreigners() {
			f.Add(kind, other.body(noon), fresh)
			f.Add(kind, say(`"3"`), other.body(noon))
		}
	}
	rules := policy.Policy{
		Name: "web", Mode: policy.ModeOn, Min: 0, Max: 20,
		Resources: []policy.Resource{{Name: "cpu"}}, Targets: []policy.Target{{Name: "t"}},
	}
	const current = 5
	f.Fuzz(func(t *testing.T, kind byte, values, times string) {
		r := newReader(t, Options{Address: "http://prometheus", RoundTripper: spoken{values, times}, Now: func() time.Time { return noon }})
		q := Query{ScaleTarget: "web", Resource: "cpu", CapacityPerReplica: 2}
		shipped := false
		switch kind % 3 {
		case 0:
			q.Usage = "x"
		case 1:
			q.Usage = "sum(x)"
		default:
			shipped = true
		}
		got := r.Read(t.Context(), noon, []Query{q})
		if p := got[0].Problem; (p == "") != (got[0].Detail == "") || len(got[0].Detail) > maxDetail+50 {
			t.Errorf("%q is explained with %q", p, got[0].Detail)
		}
		o := policy.Observation{Down: 1, Targets: []policy.TargetState{{Name: "t", Requested: current, Ready: current}}, Usage: got}
		d := policy.Decide(rules, o, policy.History{}, noon)
		if d.Desired < current {
			v, clean := spokenNumber(values, shipped)
			if need := int(math.Ceil(v/2 - 1e-6)); !clean || d.Desired < need {
				t.Errorf("%d → %d on the number %g (%t): %s", current, d.Desired, v, clean, d.Explain())
			}
			if q.Usage != "sum(x)" && !spokenTime(times) && !strings.Contains(values, `"scalar"`) {
				t.Errorf("%d → %d on a sample of no time: %s", current, d.Desired, d.Explain())
			}
		}
		if testutil.ToFloat64(r.metrics.panics) > 0 {
			t.Error("something panicked")
		}

		past, err := r.Past(t.Context(), q, noon.Add(-time.Minute), noon, time.Second)
		for _, s := range past {
			if !(s.Usage >= 0) || math.IsInf(s.Usage, 0) || s.Capacity != 2 || s.At.After(noon) || !s.At.After(noon.Add(-time.Minute)) {
				t.Errorf("%+v in the past, %v", s, err)
			}
		}
		loads, err := r.Loads(t.Context(), noon, "load", "scale_target")
		for of, load := range loads {
			if err != nil || of == "" || !(load >= 0) || math.IsInf(load, 0) {
				t.Errorf("a load of %g for %q, %v", load, of, err)
			}
		}
	})
}
