package alerts

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"path"
	"slices"
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
	transport.Transport = limited{rt}
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
	answer.Up = time.Time(*status.Payload.Uptime)
	answer.Settled = am.now().Sub(answer.Up) >= am.settle
	return nil
}

func fromAPI(g *models.GettableAlert) (Alert, error) {
	if g == nil || g.Fingerprint == nil || *g.Fingerprint == "" || g.StartsAt == nil || g.Status == nil {
		return Alert{}, errors.New("the answer has an alert without fingerprint, start or status")
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
	return err
}

// limited bounds the size of the answers of a RoundTripper.
type limited struct{ next http.RoundTripper }

func (l limited) RoundTrip(r *http.Request) (*http.Response, error) {
	res, err := l.next.RoundTrip(r)
	if err == nil {
		res.Body = http.MaxBytesReader(nil, res.Body, maxAnswer)
	}
	return res, err
}
