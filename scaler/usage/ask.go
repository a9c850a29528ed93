package usage

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/go-kit/log/level"
	"github.com/prometheus/common/model"
)

const (
	pathQuery      = "/api/v1/query"
	pathQueryRange = "/api/v1/query_range"
)

// maxAhead is how far ahead of our clock a sample may be dated: clocks differ a
// little. What is dated later comes from a broken clock or from no clock at
// all, and would count as fresh until then.
const maxAhead = time.Minute

// question is one instant query.
type question struct {
	expr string
	at   time.Time
	// lookback is how old a sample may be that answers it. Prometheus honours
	// it since 2.43; others may look back further, which is why the samples'
	// own timestamps are asked for too.
	lookback time.Duration
	// limit is the most series wanted; 0: all. Old versions ignore it.
	limit uint64
}

// ask puts one question to Prometheus.
func (r *Reader) ask(ctx context.Context, q question) (model.Value, error) {
	args := url.Values{"query": {q.expr}, "time": {seconds(q.at)}, "lookback_delta": {wholeSeconds(q.lookback).String()}}
	if q.limit > 0 {
		args.Set("limit", strconv.FormatUint(q.limit, 10))
	}
	value, err := r.get(ctx, pathQuery, args)
	if err != nil {
		return nil, err
	}
	return value, q.dated(value)
}

// dated refuses an answer to another instant than was asked about, as a cache
// gives it. Up to a minute is left to those who evaluate a little earlier on
// purpose.
func (q question) dated(value model.Value) error {
	check := func(t model.Time) error {
		if ahead := t.Time().Sub(q.at); ahead <= maxAhead && -ahead <= max(maxAhead, q.lookback) {
			return nil
		}
		return fmt.Errorf("bad_response: the answer is dated %s where %s was asked about; see whether the clocks agree, and what stands between here and Prometheus", instantOf(t.Time()), instantOf(q.at))
	}
	switch v := value.(type) {
	case *model.Scalar:
		return check(v.Timestamp)
	case model.Vector:
		for _, s := range v {
			if s.Histogram != nil {
				continue
			}
			if err := check(s.Timestamp); err != nil {
				return err
			}
		}
	}
	return nil
}

// instantOf is a time as people compare it.
func instantOf(t time.Time) string { return t.UTC().Format(time.RFC3339) }

// askVector puts a question whose answer must be a vector of numbers.
func (r *Reader) askVector(ctx context.Context, q question) (model.Vector, error) {
	value, err := r.ask(ctx, q)
	if err != nil {
		return nil, err
	}
	v, ok := value.(model.Vector)
	if !ok {
		return nil, fmt.Errorf("the answer is a %s, not a vector", value.Type())
	}
	return v, nil
}

// get asks within the time that one query has. A value is never nil where err
// is.
func (r *Reader) get(parent context.Context, path string, args url.Values) (value model.Value, err error) {
	ctx, cancel := context.WithTimeout(parent, r.opts.Timeout)
	defer cancel()
	args.Set("timeout", wholeSeconds(r.opts.Timeout).String())
	begin := time.Now()
	var answer reply
	if panicked := r.guard(func() { answer, err = r.exchange(ctx, path, args) }); panicked != nil {
		err = panicked
	}
	r.metrics.queries.Inc()
	r.metrics.queryDuration.Observe(time.Since(begin).Seconds())
	if len(answer.warnings) > 0 {
		level.Debug(r.opts.Logger).Log("msg", "Prometheus warns about a query", "query", args.Get("query"), "warnings", strings.Join(answer.warnings, "; "))
	}
	if err != nil {
		r.metrics.queryFailures.Inc()
		if ctx.Err() != nil && parent.Err() == nil {
			return nil, fmt.Errorf("no answer within %s: %w", r.opts.Timeout, err)
		}
		return nil, err
	}
	return answer.value, nil
}

// exchange sends one query and reads the answer. Like all clients of Prometheus
// it tries GET where POST is not let through.
func (r *Reader) exchange(ctx context.Context, path string, args url.Values) (reply, error) {
	u := r.client.URL(path, nil)
	form := u.Query()
	maps.Copy(form, args)
	encoded := form.Encode()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, u.String(), strings.NewReader(encoded))
	if err != nil {
		return reply{}, err
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	// A query may be sent again where a kept connection turns out to be
	// closed; this says so, and is not sent itself.
	req.Header["Idempotency-Key"] = nil
	res, body, err := r.client.Do(ctx, req)
	if err == nil && (res.StatusCode == http.StatusForbidden || res.StatusCode == http.StatusMethodNotAllowed || res.StatusCode == http.StatusNotImplemented) {
		u.RawQuery = encoded
		if req, err = http.NewRequestWithContext(ctx, http.MethodGet, u.String(), http.NoBody); err != nil {
			return reply{}, err
		}
		res, body, err = r.client.Do(ctx, req)
	}
	if r.retired.Load() {
		r.closeIdle()
	}
	if err != nil {
		return reply{}, unanswered(err)
	}
	return understand(plainURL(r.client.URL(path, nil)), res, body)
}

// understand makes a reply or an error of what came back.
func understand(from string, res *http.Response, body []byte) (reply, error) {
	page := isHTML(body)
	if res.StatusCode/100 == 2 {
		if page {
			return reply{}, fmt.Errorf("bad_response: %s answers with an HTML page, %s, where Prometheus answers with JSON; prometheus.url must lead to Prometheus itself, not to a login page or another server", from, shorten(strconv.Quote(glance(body)), 60))
		}
		answer, err := decode(body)
		switch {
		case err != nil:
			return reply{}, fmt.Errorf("bad_response: %s: %w", from, err)
		case answer.value == nil:
			return reply{}, answer.err()
		}
		return answer, nil
	}
	if answer, err := decode(body); err == nil && answer.value == nil && answer.errorText != "" {
		return reply{}, answer.err()
	}
	var err error
	switch res.StatusCode / 100 {
	case 4:
		err = fmt.Errorf("client_error: client error: %d from %s", res.StatusCode, from)
	case 5:
		err = fmt.Errorf("server_error: server error: %d from %s", res.StatusCode, from)
	default:
		err = fmt.Errorf("bad_response: HTTP status %d from %s, where Prometheus answers with 200", res.StatusCode, from)
	}
	switch words := glance(body); {
	case words == "":
		return reply{}, err
	case page:
		return reply{}, fmt.Errorf("%w: an HTML page, %s", err, shorten(words, 100))
	default:
		return reply{}, fmt.Errorf("%w: %s", err, shorten(words, 100))
	}
}

// err is an error in Prometheus' own words.
func (r reply) err() error {
	return fmt.Errorf("%s: %s", shorten(r.errorType, 40), r.errorText)
}

// unanswered puts an exchange that came to nothing in words, and leaves out
// what of the URL may be secret.
func unanswered(err error) error {
	if e, ok := errors.AsType[*http.MaxBytesError](err); ok {
		return fmt.Errorf("the answer is longer than %d MiB; let the query select fewer series", e.Limit>>20)
	}
	if e, ok := errors.AsType[*url.Error](err); ok {
		if u, parseErr := url.Parse(e.URL); parseErr == nil {
			return fmt.Errorf("%s %s: %w", strings.ToUpper(e.Op), plainURL(u), e.Err)
		}
	}
	return err
}

// plainURL is a URL without what may be secret in it.
func plainURL(u *url.URL) string {
	plain := url.URL{Scheme: u.Scheme, Host: u.Host, Path: u.Path}
	return shorten(plain.String(), 100)
}

// seconds is a time as Prometheus parses it.
func seconds(t time.Time) string {
	return strconv.FormatFloat(float64(t.UnixMilli())/1e3, 'f', -1, 64)
}

// wholeSeconds rounds up to what every version of Prometheus can parse: Go
// writes a duration of 1.5 s as 1.5s, which Prometheus refuses.
func wholeSeconds(d time.Duration) time.Duration {
	return max(time.Second, (d + time.Second - 1).Truncate(time.Second))
}

// isHTML reports whether an answer is a page for people.
func isHTML(body []byte) bool {
	start := strings.TrimPrefix(string(body[:min(len(body), 512)]), "\ufeff")
	return strings.HasPrefix(strings.TrimSpace(start), "<")
}

// glance is the beginning of what others wrote, on one line.
func glance(body []byte) string {
	return strings.Join(strings.Fields(string(body[:min(len(body), 1024)])), " ")
}

// shorten cuts what others wrote to a length that a log line bears.
func shorten(s string, n int) string {
	if len(s) <= n {
		return s
	}
	return strings.ToValidUTF8(s[:n], "") + "…"
}
