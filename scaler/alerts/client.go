package alerts

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/go-openapi/runtime"
	httptransport "github.com/go-openapi/runtime/client"
	"github.com/prometheus/alertmanager/api/v2/client"
	"github.com/prometheus/alertmanager/api/v2/client/alert"
	"github.com/prometheus/alertmanager/api/v2/client/general"
	"github.com/prometheus/alertmanager/api/v2/client/silence"
	"github.com/prometheus/alertmanager/api/v2/models"

	"github.com/alertscaler/alertscaler/scaler/outgoing"
)

// maxAnswer bounds what one answer of Alertmanager may take; 10,000 alerts
// are about 10 MB.
const maxAnswer = 256 << 20

// alertmanager asks one Alertmanager, through the client it generates from
// its own API description.
type alertmanager struct {
	api *client.AlertmanagerAPI
	// settle is how long an Alertmanager must have been up for its silence
	// on an alert to mean something.
	settle time.Duration
	now    func() time.Time
}

func newAlertmanager(u *url.URL, rt http.RoundTripper, settle time.Duration, now func() time.Time) (*alertmanager, error) {
	if u == nil || u.Host == "" || (u.Scheme != "http" && u.Scheme != "https") {
		return nil, fmt.Errorf("alertmanager URL %q: want http://host or https://host, with a path prefix where it has one", u.Redacted())
	}
	rt = outgoing.Guard(rt)
	transport := httptransport.New(u.Host, path.Join("/", u.Path, client.DefaultBasePath), []string{u.Scheme})
	transport.Transport = guarded{rt}
	transport.Consumers[runtime.JSONMime] = runtime.ConsumerFunc(onlyJSON)
	transport.Debug = false // otherwise taken from the environment variable DEBUG
	if u.User != nil {
		password, _ := u.User.Password()
		transport.DefaultAuthentication = httptransport.BasicAuth(u.User.Username(), password)
	}
	return &alertmanager{api: client.New(transport, nil), settle: settle, now: now}, nil
}

// firing asks for everything that fires, suppressed or not. With an error
// beside an answer, the answer may be used: it is not settled where the uptime
// is not known, and lacks what could not be read of the silences.
func (am *alertmanager) firing(ctx context.Context) (Answer, error) {
	answer := Answer{RequestedAt: am.now()}
	got, err := am.api.Alert.GetAlerts(alert.NewGetAlertsParamsWithContext(ctx))
	if err != nil {
		return Answer{}, fmt.Errorf("get alerts: %w", describe(err))
	}
	// The client takes an empty body for an empty list. No answer is not the
	// answer that nothing fires.
	if got.Payload == nil {
		return Answer{}, errors.New("get alerts: the answer has no list of alerts")
	}
	answer.Alerts = make([]Alert, 0, len(got.Payload))
	for _, g := range got.Payload {
		a, err := fromAPI(g)
		if err != nil {
			return Answer{}, fmt.Errorf("get alerts: %w", err)
		}
		answer.Alerts = append(answer.Alerts, a)
	}

	// Asked second: had it restarted in between, the list would be older
	// than its uptime says.
	err = am.settled(ctx, &answer)
	// Asked last, since everything else goes without it.
	return answer, errors.Join(err, am.explainSilences(ctx, answer.Alerts))
}

// settled asks whether Alertmanager has been up for long enough that what it
// does not list does not fire.
func (am *alertmanager) settled(ctx context.Context, answer *Answer) error {
	if am.settle < 0 {
		answer.Settled = true
		return nil
	}
	status, err := am.api.General.GetStatus(general.NewGetStatusParamsWithContext(ctx))
	switch {
	case err != nil:
		return fmt.Errorf("get status: %w", describe(err))
	case status.Payload == nil || status.Payload.Uptime == nil:
		return errors.New("get status: the answer has no uptime")
	}
	// Whatever is empty is read as 1970 by the client, and would make every
	// list final.
	up, now := time.Time(*status.Payload.Uptime), am.now()
	if up.Before(firstAPI) || up.Sub(now) > maxAhead {
		return fmt.Errorf("get status: the uptime, %s, is not when an Alertmanager started, by the clock here, which says %s", up.UTC().Format(time.RFC3339), now.UTC().Format(time.RFC3339))
	}
	answer.Up = up
	answer.Settled = now.Sub(up) >= am.settle
	return nil
}

// firstAPI is before there was any Alertmanager with this API, and maxAhead is
// how much clocks may differ.
var firstAPI = time.Date(2018, 1, 1, 0, 0, 0, 0, time.UTC)

const maxAhead = time.Minute

// fromAPI takes an alert of the answer over. Whatever the book would change by
// must be there: an alert of which nobody says who silenced it is not one that
// nobody did.
func fromAPI(g *models.GettableAlert) (Alert, error) {
	if g == nil || g.Fingerprint == nil || *g.Fingerprint == "" || g.StartsAt == nil || g.Status == nil {
		return Alert{}, errors.New("the answer has an alert without fingerprint, start or status")
	}
	lacks := func(what string) (Alert, error) {
		return Alert{}, fmt.Errorf("the answer has an alert, %.64q, without %s", *g.Fingerprint, what)
	}
	switch {
	case time.Time(*g.StartsAt).Before(firstAlert):
		return lacks("a start")
	case len(g.Labels) == 0:
		return lacks("labels")
	case g.Status.State == nil || *g.Status.State == "":
		return lacks("status.state")
	case !idList(g.Status.SilencedBy):
		return lacks("status.silencedBy, a list of the silences' IDs")
	case !idList(g.Status.InhibitedBy):
		return lacks("status.inhibitedBy, a list of fingerprints")
	}
	return Alert{
		Fingerprint:  *g.Fingerprint,
		Status:       Firing,
		Labels:       g.Labels,
		Annotations:  g.Annotations,
		StartsAt:     time.Time(*g.StartsAt).UTC(),
		GeneratorURL: g.GeneratorURL.String(),
		SilencedBy:   sorted(g.Status.SilencedBy),
		InhibitedBy:  sorted(g.Status.InhibitedBy),
	}, nil
}

// firstAlert is before anything was ever monitored; the client reads an empty
// time as 1970.
var firstAlert = time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)

// idList reports whether a list was given, and names something in each place.
func idList(ids []string) bool { return ids != nil && !slices.Contains(ids, "") }

// sorted makes two answers comparable; an empty list is nil.
func sorted(ids []string) []string {
	if len(ids) == 0 {
		return nil
	}
	return slices.Sorted(slices.Values(ids))
}

// describe puts the client's errors, which render the Go values of the
// response, in words.
func describe(err error) error {
	if e, ok := errors.AsType[*alert.GetAlertsInternalServerError](err); ok {
		return fmt.Errorf("HTTP status 500: %.200s", e.Payload)
	}
	if e, ok := errors.AsType[*silence.GetSilencesInternalServerError](err); ok {
		return fmt.Errorf("HTTP status 500: %.200s", e.Payload)
	}
	if e, ok := errors.AsType[*silence.GetSilencesBadRequest](err); ok {
		return fmt.Errorf("HTTP status 400: %.200s", e.Payload)
	}
	if e, ok := errors.AsType[*runtime.APIError](err); ok {
		return fmt.Errorf("HTTP status %d", e.Code)
	}
	if _, ok := errors.AsType[*http.MaxBytesError](err); ok {
		return fmt.Errorf("the answer is longer than %d MiB", maxAnswer>>20)
	}
	return err
}

// guarded bounds the size of the answers of a RoundTripper, and tells pages for
// people from answers.
type guarded struct{ next http.RoundTripper }

func (g guarded) RoundTrip(r *http.Request) (*http.Response, error) {
	res, err := g.next.RoundTrip(r)
	if err != nil || res.StatusCode/100 == 3 {
		return res, err
	}
	body := bufio.NewReader(http.MaxBytesReader(nil, res.Body, maxAnswer))
	begin, err := body.Peek(512)
	if err != nil && !errors.Is(err, io.EOF) {
		res.Body.Close()
		return nil, fmt.Errorf("read the answer: %w", err)
	}
	page := strings.TrimSpace(strings.TrimPrefix(string(begin), "\ufeff"))
	if strings.HasPrefix(page, "<") {
		res.Body.Close()
		page = strings.ToValidUTF8(strings.Join(strings.Fields(page), " "), "")
		if res.StatusCode/100 == 2 {
			return nil, fmt.Errorf("the answer is an HTML page, %.60q, where Alertmanager answers with JSON; alertmanager.url must lead to Alertmanager itself, not to a login page or another server", page)
		}
		return nil, fmt.Errorf("HTTP status %d and an HTML page, %.60q", res.StatusCode, page)
	}
	res.Body = struct {
		io.Reader
		io.Closer
	}{body, res.Body}
	return res, nil
}

// onlyJSON decodes an answer that is one JSON value and nothing else. The
// client's own decoder does not look at what follows.
func onlyJSON(r io.Reader, into any) error {
	d := json.NewDecoder(r)
	if err := d.Decode(into); err != nil {
		return err
	}
	switch _, err := d.Token(); {
	case errors.Is(err, io.EOF):
		return nil
	case errors.As(err, new(*http.MaxBytesError)):
		return err
	default:
		return errors.New("something follows the JSON of the answer")
	}
}
