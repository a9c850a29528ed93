package webhook

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/go-kit/log/level"
	"github.com/prometheus/common/model"

	"github.com/alertscaler/alertscaler/scaler/policy"
)

const (
	// maxAdminBody is the largest body of a request that changes something.
	maxAdminBody = 64 << 10
	// maxWords is the most bytes of an author and of a comment. Both are kept
	// in the ledger and shown wherever the policy is.
	maxWords = 1 << 10

	pauseExample = `want a JSON object such as {"for":"2h","by":"ann","comment":"migration"}`
)

// pauseRequest is the body of POST /api/v1/policies/{name}/pause. For and
// Until are pointers because "" is a mistake, most often of a script, that
// must not pause for ever.
type pauseRequest struct {
	For     *string `json:"for"`
	Until   *string `json:"until"`
	By      string  `json:"by"`
	Comment string  `json:"comment"`
}

func (a *api) pausePolicy(w http.ResponseWriter, r *http.Request) {
	body, err := a.adminBody(w, r)
	if err != nil {
		a.fail(w, errorBadData, err.Error())
		return
	}
	p, err := parsePause(body, userOf(r), a.now())
	if err != nil {
		a.fail(w, errorBadData, err.Error())
		return
	}
	name := r.PathValue("name")
	found, err := a.pauses.Pause(name, p)
	switch {
	case err != nil:
		level.Error(a.logger).Log("msg", "pausing policy", "policy", name, "by", p.By, "err", err)
		a.fail(w, errorInternal, err.Error())
	case !found:
		a.noPolicy(w, name)
	default:
		level.Info(a.logger).Log("msg", "policy paused", "policy", name, "by", p.By, "until", until(p.Until),
			"comment", p.Comment, "remote", r.RemoteAddr)
		a.respond(w, p)
	}
}

// resumed is the answer of POST /api/v1/policies/{name}/resume.
type resumed struct {
	// Resumed is false where the policy was not paused.
	Resumed bool `json:"resumed"`
}

func (a *api) resumePolicy(w http.ResponseWriter, r *http.Request) {
	// There is nothing to say in a body, and clients send one all the same.
	if _, err := a.adminBody(w, r); err != nil {
		a.fail(w, errorBadData, err.Error())
		return
	}
	name := r.PathValue("name")
	found, ended, err := a.pauses.Resume(name)
	switch {
	case err != nil:
		level.Error(a.logger).Log("msg", "resuming policy", "policy", name, "err", err)
		a.fail(w, errorInternal, err.Error())
	case !found:
		a.noPolicy(w, name)
	default:
		if ended {
			level.Info(a.logger).Log("msg", "policy resumed", "policy", name, "by", userOf(r), "remote", r.RemoteAddr)
		}
		a.respond(w, resumed{ended})
	}
}

// admin answers POST where the admin API is enabled.
func (a *api) admin(next http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.Method != http.MethodPost:
			w.Header().Set("Allow", http.MethodPost)
			http.Error(w, "want POST", http.StatusMethodNotAllowed)
		case a.pauses == nil:
			a.fail(w, errorForbidden, "the admin API is not enabled: start Alertscaler with --web.enable-admin-api")
		default:
			next(w, r)
		}
	}
}

// adminBody reads the body within bounds of size and time.
func (a *api) adminBody(w http.ResponseWriter, r *http.Request) ([]byte, error) {
	var buf bytes.Buffer
	done, err := a.intake.receive(w, r, &buf, maxAdminBody)
	defer done()
	switch {
	case err == nil:
		return buf.Bytes(), nil
	case errors.Is(err, os.ErrDeadlineExceeded):
		return nil, fmt.Errorf("the body did not arrive within %s", a.intake.timeout)
	}
	if _, ok := errors.AsType[*http.MaxBytesError](err); ok {
		return nil, fmt.Errorf("the body is larger than %d bytes; %s", maxAdminBody, pauseExample)
	}
	return nil, err
}

// parsePause decodes a pause that begins now. Its error says what is wrong
// with the body and what would be right.
func parsePause(body []byte, user string, now time.Time) (policy.Pause, error) {
	q, err := decodePause(body)
	if err != nil {
		return policy.Pause{}, err
	}
	p := policy.Pause{Since: now, By: strings.TrimSpace(q.By), Comment: strings.TrimSpace(q.Comment)}
	if user != "" {
		p.By = user // nobody pauses in another's name
	}
	switch {
	case p.By == "":
		return policy.Pause{}, errors.New(`"by" is missing: say who pauses the policy, such as "by":"ann"`)
	case len(p.By) > maxWords:
		return policy.Pause{}, fmt.Errorf(`"by" has %d bytes; at most %d are kept`, len(p.By), maxWords)
	case p.Comment == "":
		return policy.Pause{}, errors.New(`"comment" is missing: say why the policy is paused, such as "comment":"migration"`)
	case len(p.Comment) > maxWords:
		return policy.Pause{}, fmt.Errorf(`"comment" has %d bytes; at most %d are kept`, len(p.Comment), maxWords)
	case q.For != nil && q.Until != nil:
		return policy.Pause{}, errors.New(`both "for" and "until" are given; give one, or neither to pause until somebody resumes`)
	case q.For != nil:
		p.Until, err = afterDuration(*q.For, now)
	case q.Until != nil:
		p.Until, err = atTime(*q.Until, now)
	}
	if err != nil {
		return policy.Pause{}, err
	}
	return p, nil
}

// decodePause is strict: a misspelt "for" would pause until somebody resumes.
func decodePause(body []byte) (pauseRequest, error) {
	var q pauseRequest
	if len(bytes.TrimSpace(body)) == 0 {
		return q, errors.New("the body is empty; " + pauseExample)
	}
	dec := json.NewDecoder(bytes.NewReader(body))
	dec.DisallowUnknownFields()
	err := dec.Decode(&q)
	if err == nil {
		if _, trailing := dec.Token(); !errors.Is(trailing, io.EOF) {
			return q, errors.New("there is more after the JSON object; " + pauseExample)
		}
		return q, nil
	}
	if e, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
		if e.Field == "" {
			return q, fmt.Errorf("the body is a JSON %s; %s", e.Value, pauseExample)
		}
		return q, fmt.Errorf("%q is a JSON %s and must be a string; %s", e.Field, e.Value, pauseExample)
	}
	if field, ok := strings.CutPrefix(err.Error(), "json: unknown field "); ok {
		return q, fmt.Errorf(`%.60s is not a field of a pause; there are "for", "until", "by" and "comment"`, field)
	}
	return q, fmt.Errorf("the body is not JSON (%s); %s", oneLine(err), pauseExample)
}

func afterDuration(s string, now time.Time) (time.Time, error) {
	d, err := model.ParseDuration(s)
	switch {
	case outOfRange(err):
		return time.Time{}, fmt.Errorf(`"for" is %.40q, which is too long: at most %s; leave it out to pause until somebody resumes`, s, longest)
	case err != nil || d <= 0:
		return time.Time{}, fmt.Errorf(`"for" is %.40q, which is not a duration longer than 0; want such as 90s, 2h or 1d12h`, s)
	}
	return now.Add(time.Duration(d)), nil
}

// longest is the longest duration there is.
const longest = "292y"

func outOfRange(err error) bool { return err != nil && strings.Contains(err.Error(), "out of range") }

func atTime(s string, now time.Time) (time.Time, error) {
	t, err := time.Parse(time.RFC3339, s)
	t = t.UTC()
	switch {
	case err != nil || !storable(t):
		return time.Time{}, fmt.Errorf(`"until" is %.40q, which is not a time; want such as %s`, s, stamp(now.Add(2*time.Hour)))
	case !t.After(now):
		return time.Time{}, fmt.Errorf(`"until" is %s, which is past: here it is %s; want a later time`, stamp(t), stamp(now))
	}
	return t, nil
}

// until is the end of a pause for the log.
func until(t time.Time) string {
	if t.IsZero() {
		return "resumed"
	}
	return stamp(t)
}
