package webhook

import (
	"fmt"
	"math"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/go-kit/log"
	"github.com/go-kit/log/level"
	"github.com/prometheus/common/model"
)

const (
	defaultLimit = 100
	maxLimit     = 10_000

	// defaultAlerts is how many alerts a page has, and maxPage about how many
	// bytes.
	defaultAlerts = 1000
	maxPage       = 8 << 20
)

// api is everything below /api/v1.
type api struct {
	policies  Policies
	decisions Decisions
	alerts    Alerts
	config    Config
	discovery Discovery // nil: there is none
	pauses    Pauses    // nil: the admin API is not enabled
	retries   Retries   // nil: nobody can be asked
	now       func() time.Time
	started   time.Time
	logger    log.Logger
	intake    *intake
}

func (a *api) listPolicies(w http.ResponseWriter, _ *http.Request) {
	a.respond(w, list(a.policies.Statuses()))
}

func (a *api) getPolicy(w http.ResponseWriter, r *http.Request) {
	name := r.PathValue("name")
	status, ok := a.policies.Status(name)
	if !ok {
		a.noPolicy(w, name)
		return
	}
	a.respond(w, status)
}

func (a *api) noPolicy(w http.ResponseWriter, name string) {
	a.fail(w, errorNotFound, fmt.Sprintf("there is no policy %q", name))
}

// listDecisions also knows the decisions of policies that are no longer
// configured; only a policy that never decided anything is unknown.
func (a *api) listDecisions(w http.ResponseWriter, r *http.Request) {
	q, err := parseQuery(r.URL.Query(), a.now())
	if err != nil {
		a.fail(w, errorBadData, err.Error())
		return
	}
	found, err := a.decisions.Decisions(q)
	if err != nil {
		level.Error(a.logger).Log("msg", "reading decisions", "policy", q.Policy, "err", err)
		a.fail(w, errorInternal, err.Error())
		return
	}
	if len(found) == 0 && q.Policy != "" {
		if _, ok := a.policies.Status(q.Policy); !ok {
			a.noPolicy(w, q.Policy)
			return
		}
	}
	a.respond(w, list(found))
}

// listAlerts answers a page. Whoever wants the next one asks with the
// nextToken of the answer as next_token; the last page has none.
func (a *api) listAlerts(w http.ResponseWriter, r *http.Request) {
	limit, err := parseLimit(r.URL.Query(), defaultAlerts)
	if err != nil {
		a.fail(w, errorBadData, err.Error())
		return
	}
	page, next := a.alerts.Page(r.URL.Query().Get("next_token"), limit, maxPage)
	writeJSON(w, http.StatusOK, envelope{Status: "success", Data: list(page), NextToken: next}, a.logger)
}

func (a *api) notFound(w http.ResponseWriter, r *http.Request) {
	a.fail(w, errorNotFound, fmt.Sprintf("there is nothing at %s %s", r.Method, r.URL.Path))
}

// parseQuery reads policy, since and limit. Its error names the parameter and
// what would be right.
func parseQuery(v url.Values, now time.Time) (Query, error) {
	q := Query{Policy: v.Get("policy"), Limit: defaultLimit}
	if s := v.Get("since"); s != "" {
		since, err := parseSince(s, now)
		if err != nil {
			return Query{}, fmt.Errorf("invalid parameter \"since\": %w", err)
		}
		q.Since = since
	}
	var err error
	if q.Limit, err = parseLimit(v, defaultLimit); err != nil {
		return Query{}, err
	}
	return q, nil
}

func parseLimit(v url.Values, def int) (int, error) {
	s := v.Get("limit")
	if s == "" {
		return def, nil
	}
	limit, err := strconv.Atoi(s)
	if err != nil || limit < 1 || limit > maxLimit {
		return 0, fmt.Errorf("invalid parameter \"limit\": %.40q is not a number from 1 to %d", s, maxLimit)
	}
	return limit, nil
}

// parseSince reads a time as Prometheus' API does, or a duration before now.
func parseSince(s string, now time.Time) (time.Time, error) {
	if f, err := strconv.ParseFloat(s, 64); err == nil {
		// Beyond these bounds the time could not be written down.
		if math.IsNaN(f) || f < 0 || f > 253402300799 {
			return time.Time{}, fmt.Errorf("%.40q is not a Unix time in seconds up to the year 9999", s)
		}
		whole, frac := math.Modf(f)
		return time.Unix(int64(whole), int64(math.Round(frac*1000))*1e6).UTC(), nil
	}
	if t, err := time.Parse(time.RFC3339Nano, s); err == nil {
		return t.UTC(), nil
	}
	d, err := model.ParseDuration(s)
	switch {
	case err == nil:
		return now.Add(-time.Duration(d)), nil
	case outOfRange(err):
		return time.Time{}, fmt.Errorf("%.40q is too long: at most %s", s, longest)
	}
	return time.Time{}, fmt.Errorf("%.40q is not a time (2026-01-05T08:00:00Z or Unix seconds) nor a duration (1h, 30m, 7d)", s)
}
