package usage

import (
	"fmt"
	"maps"
	"math"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/alertscaler/alertscaler/scaler/policy"
)

// liar is a Prometheus for the property: it tells the truth, except that it
// answers the question that is spoilt otherwise.
type liar struct {
	mu     sync.Mutex // guards what follows
	usage  float64
	ready  int
	spoilt string
	lie    lie
	told   bool // since it is spoilt
	asked  []string
}

// subject is what is asked for, so that it may be spoilt by name.
func subject(query string) string {
	sel, isTime := strings.CutPrefix(query, "timestamp(")
	name := strings.FieldsFunc(sel, func(r rune) bool { return r == '{' || r == ')' })[0]
	if isTime {
		return "time of " + name
	}
	return name
}

func (l *liar) answer(w http.ResponseWriter, r *http.Request, query string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	what := subject(query)
	if !slices.Contains(l.asked, what) {
		l.asked = append(l.asked, what)
	}
	at := r.FormValue("time")
	ms, err := strconv.ParseFloat(at, 64)
	if err != nil {
		panic(err)
	}
	if what == l.spoilt {
		l.told = true
		l.lie(w, time.UnixMilli(int64(math.Round(ms*1000))))
		return true
	}
	value := l.usage
	switch {
	case strings.HasPrefix(what, "time of "):
		value = ms
	case what == seriesCapacity:
		value = 2 * float64(l.ready)
	case what == seriesReporting || what == "z":
		value = float64(l.ready)
	case what == "y":
		value = 2
	}
	resource := `,"resource":"cpu"`
	if strings.Contains(what, seriesReporting) {
		resource = ""
	}
	fmt.Fprintf(w, `{"status":"success","data":{"resultType":"vector","result":[{"metric":{"scale_target":"web"%s},"value":[%s,"%s"]}]}}`, resource, at, strconv.FormatFloat(value, 'f', -1, 64))
	return true
}

// lie is a way to spoil an answer.
type lie func(w http.ResponseWriter, at time.Time)

// strangeLies say no number.
func strangeLies() map[string]lie {
	all := make(map[string]lie)
	for _, f := range foreigners() {
		all[f.name] = func(w http.ResponseWriter, at time.Time) { _, _ = w.Write([]byte(f.body(at))) }
	}
	return all
}

// plainLies say what Prometheus may say, and no number that is to be used.
func plainLies() map[string]lie {
	all := make(map[string]lie)
	number := func(value func(at time.Time) string) lie {
		return func(w http.ResponseWriter, at time.Time) {
			fmt.Fprintf(w, `{"status":"success","data":{"resultType":"vector","result":[{"metric":{"scale_target":"web","resource":"cpu"},"value":[%s,%q]}]}}`, seconds(at), value(at))
		}
	}
	for _, v := range []string{"NaN", "+Inf", "-Inf", "-1"} {
		all[v] = number(func(time.Time) string { return v })
	}
	all["no series"] = func(w http.ResponseWriter, _ time.Time) {
		_, _ = w.Write([]byte(`{"status":"success","data":{"resultType":"vector","result":[]}}`))
	}
	all["two series"] = func(w http.ResponseWriter, at time.Time) {
		one := fmt.Sprintf(`{"metric":{"scale_target":"web","resource":"cpu"},"value":[%s,"1"]}`, seconds(at))
		fmt.Fprintf(w, `{"status":"success","data":{"resultType":"vector","result":[%s,%s]}}`, one, one)
	}
	all["503"] = func(w http.ResponseWriter, _ time.Time) { http.Error(w, "1", http.StatusServiceUnavailable) }
	all["an aborted connection"] = func(http.ResponseWriter, time.Time) { panic(http.ErrAbortHandler) }
	return all
}

// timeLies spoil what is said about the time of a sample.
func timeLies() map[string]lie {
	all := make(map[string]lie)
	for _, off := range []time.Duration{-time.Hour, -3 * time.Minute, 2 * time.Minute, 24 * time.Hour} {
		all[fmt.Sprint("a sample dated ", off)] = func(w http.ResponseWriter, at time.Time) {
			fmt.Fprintf(w, `{"status":"success","data":{"resultType":"vector","result":[{"metric":{},"value":[%s,%q]}]}}`, seconds(at), seconds(at.Add(off)))
		}
	}
	return all
}

// Whatever a source answers, and to whichever question, the count never falls
// below what the last clean reading needed, nor at all before there was one.
func TestTheCountNeverFallsBelowTheLastCleanReading(t *testing.T) {
	lies := []map[string]lie{strangeLies(), plainLies(), timeLies()}
	names := make([][]string, len(lies))
	for i := range lies {
		names[i] = slices.Sorted(maps.Keys(lies[i]))
	}
	var fell, spoilt, held int
	rapid.Check(t, func(rt *rapid.T) {
		l := &liar{}
		now := noon
		r, err := New(Options{Address: "http://prometheus", RoundTripper: &answers{fail: l.answer}, Now: func() time.Time { return now }})
		if err != nil {
			rt.Fatal(err)
		}
		defer r.Close()

		kinds := askers()
		q := kinds[rapid.SampledFrom([]string{"the shipped series", "an expression", "a selector", "everything its own"}).Draw(rt, "asks")]
		reserved := rapid.SampledFrom([]float64{0, 0.2}).Draw(rt, "reservation")
		rules := policy.Policy{
			Name: "web", Mode: policy.ModeOn, Min: 1, Max: 40,
			Resources:   []policy.Resource{{Name: "cpu"}},
			Reservation: policy.Reservation{Ratio: reserved},
			ScaleDown:   policy.Behavior{Stabilization: time.Duration(rapid.SampledFrom([]int{0, 0, 30}).Draw(rt, "window")) * time.Second},
			OnMissing: policy.OnMissing{
				Behavior: rapid.SampledFrom([]policy.MissingBehavior{policy.MissingHold, policy.MissingCurrentIfHigher}).Draw(rt, "on missing"),
				Replicas: rapid.IntRange(1, 10).Draw(rt, "replicas on missing"),
			},
			Targets: []policy.Target{{Name: "t"}},
		}
		var (
			h       policy.History
			n       = rapid.IntRange(5, 40).Draw(rt, "replicas")
			needed  = n // nothing clean was read yet
			history []string
		)
		for range rapid.IntRange(4, 40).Draw(rt, "evaluations") {
			now = now.Add(time.Duration(rapid.IntRange(5, 40).Draw(rt, "seconds")) * time.Second)
			usage := float64(rapid.IntRange(0, 60).Draw(rt, "usage"))
			l.mu.Lock()
			l.usage, l.ready, l.spoilt, l.told = usage, n, "", false
			told := ""
			if len(l.asked) > 0 && rapid.IntRange(0, 2).Draw(rt, "lies") > 0 {
				l.spoilt = rapid.SampledFrom(l.asked).Draw(rt, "about")
				kind := rapid.IntRange(0, 1).Draw(rt, "kind")
				if strings.HasPrefix(l.spoilt, "time of ") {
					kind = rapid.IntRange(0, 2).Draw(rt, "kind of time")
				}
				told = rapid.SampledFrom(names[kind]).Draw(rt, "lie")
				l.lie = lies[kind][told]
			}
			l.mu.Unlock()

			q.Ready = n
			o := policy.Observation{Targets: []policy.TargetState{{Name: "t", Requested: n, Ready: n}}, Usage: r.Read(t.Context(), now, []Query{q})}
			l.mu.Lock()
			if l.told {
				spoilt++
			} else {
				told = "" // nobody asked
				needed = max(rules.Min, int(math.Ceil((usage+usage*reserved/(1-reserved))/2-1e-6)))
			}
			l.mu.Unlock()
			if rapid.IntRange(0, 4).Draw(rt, "direction") == 0 {
				o.Up = 1
			} else {
				o.Down = 1
			}
			d := policy.Decide(rules, o, h, now)
			h.Observe(rules, d)
			history = append(history, fmt.Sprintf("usage %g, %s is told by %q: %s", usage, l.spoilt, told, d.Explain()))
			if told == "" && o.Usage[0].Problem != "" {
				rt.Fatalf("the truth is refused: %+v", o.Usage[0])
			}
			if d.Act && d.Desired < n {
				fell++
				if d.Desired < needed {
					rt.Fatalf("%d → %d, and the last clean reading needs %d:\n%s", n, d.Desired, needed, strings.Join(history, "\n"))
				}
			} else if told != "" {
				held++
			}
			if d.Act {
				n = d.Desired
			}
		}
	})
	if t.Failed() {
		return
	}
	if fell < 100 || spoilt < 500 || held < 300 {
		t.Errorf("%d scale-downs, %d spoilt answers, of which %d changed nothing: too few to show anything", fell, spoilt, held)
	}
	t.Logf("%d scale-downs, %d spoilt answers", fell, spoilt)
}
