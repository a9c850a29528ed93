package usage

import (
	"fmt"
	"math"
	"strconv"
	"time"

	"github.com/prometheus/common/model"

	"github.com/alertscaler/alertscaler/scaler/policy"
)

// maxDetail is how long a problem's explanation may get.
const maxDetail = 300

// reading is one number after the gate, or why there is none.
type reading struct {
	value float64
	// at is when the sample was taken; zero where that cannot be told.
	at      time.Time
	problem policy.Problem
	detail  string
}

func (r reading) ok() bool { return r.problem == "" }

// age of the sample at now. A clock that runs behind makes no sample young.
func (r reading) age(now time.Time) time.Duration {
	if r.at.IsZero() {
		return 0
	}
	return max(0, now.Sub(r.at))
}

func bad(p policy.Problem, format string, args ...any) reading {
	return reading{problem: p, detail: shorten(fmt.Sprintf(format, args...), maxDetail)}
}

// admit is the gate for one number: finite, not negative, not too old and not
// from the future.
func admit(value float64, at, now time.Time, maxStaleness time.Duration) reading {
	r := reading{value: value, at: at}
	switch {
	case math.IsNaN(value) || math.IsInf(value, 0):
		return bad(policy.ProblemNotFinite, "the value is %g", value)
	case value < 0:
		return bad(policy.ProblemNotFinite, "the value is negative: %g", value)
	case at.Sub(now) > maxAhead:
		return bad(policy.ProblemUnavailable, "the newest sample is dated %s, ahead of the clock here, which says %s; see whether the clocks agree", instantOf(at), instantOf(now))
	case r.age(now) > maxStaleness:
		return stale(at, now, maxStaleness)
	}
	return r
}

// stale says how old a sample is, or from when it is where that says more.
func stale(at, now time.Time, maxStaleness time.Duration) reading {
	age := now.Sub(at).Round(time.Second)
	if age < 0 || age > 24*time.Hour {
		return bad(policy.ProblemStale, "the newest sample is from %s and may be %s old at most", instantOf(at), maxStaleness)
	}
	return bad(policy.ProblemStale, "the newest sample is %s old", age)
}

// absent is an expression without an answer. It had n series some time ago, the
// first of which had its last sample at last.
func absent(src source, n int, last, now time.Time, maxStaleness time.Duration) reading {
	switch {
	case n == 0:
		return bad(policy.ProblemMissing, "the query returns no series")
	case src.plain && n == 1:
		return stale(last, now, maxStaleness)
	default:
		return bad(policy.ProblemStale, "no sample is younger than %s", maxStaleness)
	}
}

// ambiguous names two of the series, so that the operator sees what to sum or
// to select by.
func ambiguous(n int, atLeast bool, a, b model.Metric) reading {
	count := strconv.Itoa(n)
	if atLeast {
		count += " or more"
	}
	return bad(policy.ProblemAmbiguous, "%s series where one is expected, such as %s and %s", count,
		shorten(a.String(), maxDetail/3), shorten(b.String(), maxDetail/3))
}
