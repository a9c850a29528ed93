package webhook

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"time"

	"github.com/prometheus/alertmanager/template"
	"github.com/prometheus/common/model"

	"github.com/alertscaler/alertscaler/scaler/alerts"
)

// bodyVersion is what Alertmanager has sent since 0.6.
const bodyVersion = "4"

// gzipMagic is what a compressed body begins with.
var gzipMagic = []byte{0x1f, 0x8b}

// maxReason is the most bytes of a reason in an answer: some of it may come
// from the body.
const maxReason = 200

// message is what is needed of what Alertmanager posts; the common and the
// group's labels are in the alerts too, and decoding them would take up to a
// third of the time. Fields it does not name are tolerated: every other release
// adds one.
type message struct {
	Version         string    `json:"version"`
	Receiver        string    `json:"receiver"`
	GroupKey        string    `json:"groupKey"`
	TruncatedAlerts uint64    `json:"truncatedAlerts"`
	Alerts          alertList `json:"alerts"`
}

// parse decodes a notification. Its error is one line on what is wrong with
// the body.
func parse(body []byte) (alerts.Notification, error) {
	if bytes.HasPrefix(body, gzipMagic) {
		return alerts.Notification{}, errors.New("the body is compressed by gzip, which is not understood: Alertmanager does not compress, so that a proxy between must not either")
	}
	var m message
	if err := decode(body, &m); err != nil {
		return alerts.Notification{}, reason(err)
	}
	switch {
	case m.Version == "":
		return alerts.Notification{}, errors.New("no version: not a notification of Alertmanager, or of a custom payload without it")
	case m.Version != bodyVersion:
		return alerts.Notification{}, fmt.Errorf("version %.20q is not understood, want %q", m.Version, bodyVersion)
	case m.Alerts == nil:
		return alerts.Notification{}, errors.New("no alerts")
	}

	n := alerts.Notification{
		Receiver:   m.Receiver,
		GroupKey:   m.GroupKey,
		Truncated:  m.TruncatedAlerts,
		Unverified: true,
		Alerts:     make([]alerts.Alert, len(m.Alerts)),
	}
	for i := range m.Alerts {
		a, err := toAlert(&m.Alerts[i])
		if err != nil {
			return alerts.Notification{}, fmt.Errorf("%s: %w", place(i, m.Alerts[i].Labels), err)
		}
		n.Alerts[i] = a
	}
	return n, nil
}

func toAlert(a *template.Alert) (alerts.Alert, error) {
	status := alerts.Status(a.Status)
	switch status {
	case alerts.Firing, alerts.Resolved:
	case "":
		return alerts.Alert{}, errors.New("no status")
	default:
		return alerts.Alert{}, fmt.Errorf("status %.20q is neither firing nor resolved", a.Status)
	}
	if len(a.Labels) == 0 {
		return alerts.Alert{}, errors.New("no labels")
	}
	fp, err := fingerprint(a)
	if err != nil {
		return alerts.Alert{}, err
	}
	starts, ends := a.StartsAt.UTC(), a.EndsAt.UTC()
	// While it fires, Alertmanager gives the end as the zero time, and custom
	// payloads as the time at which it would give up on the alert.
	if status == alerts.Firing {
		ends = time.Time{}
	}
	for _, t := range []struct {
		name string
		at   time.Time
	}{{"startsAt", starts}, {"endsAt", ends}} {
		if !storable(t.at) {
			return alerts.Alert{}, fmt.Errorf("%s lies outside of the years 0 to 9999", t.name)
		}
	}
	return alerts.Alert{
		Fingerprint:  fp,
		Status:       status,
		Labels:       a.Labels,
		Annotations:  a.Annotations,
		StartsAt:     starts,
		EndsAt:       ends,
		GeneratorURL: a.GeneratorURL,
	}, nil
}

// storable reports whether t can be written as JSON again. A time zone can
// move one that was read beyond that.
func storable(t time.Time) bool { return t.Year() >= 0 && t.Year() <= 9999 }

// fingerprint returns what the sender says it is, as Alertmanager writes it.
// Where the body has none, as from custom payloads, it is that of the labels.
func fingerprint(a *template.Alert) (string, error) {
	if written(a.Fingerprint) {
		return a.Fingerprint, nil
	}
	if a.Fingerprint != "" {
		fp, err := model.ParseFingerprint(a.Fingerprint)
		if err != nil {
			return "", fmt.Errorf("fingerprint %.20q is not a hexadecimal number of 64 bits", a.Fingerprint)
		}
		return fp.String(), nil
	}
	return alerts.Fingerprint(a.Labels), nil
}

// written reports whether a fingerprint is as Alertmanager writes it.
func written(fp string) bool {
	for i := range len(fp) {
		if c := fp[i]; (c < '0' || c > '9') && (c < 'a' || c > 'f') {
			return false
		}
	}
	return len(fp) == 16
}

// place says which alert of a notification is meant.
func place(i int, labels template.KV) string {
	if name := labels[model.AlertNameLabel]; name != "" {
		return fmt.Sprintf("alerts[%d] (%.40q)", i, name)
	}
	return fmt.Sprintf("alerts[%d]", i)
}

// reason puts an error of decoding in words that mean something to whoever
// configured the sender.
func reason(err error) error {
	if e, ok := errors.AsType[*json.SyntaxError](err); ok {
		switch {
		case e.Error() == "unexpected end of JSON input":
			return fmt.Errorf("cut off after %d bytes", e.Offset)
		case strings.HasSuffix(e.Error(), "after top-level value"):
			return fmt.Errorf("more than one JSON document: %w at byte %d", e, e.Offset)
		}
		return fmt.Errorf("not JSON: %w at byte %d", e, e.Offset)
	}
	if e, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
		return fmt.Errorf("%s is a JSON %s; want %s", cmp.Or(e.Field, "the body"), e.Value, wanted(e.Type))
	}
	return err
}

// wanted is what a value of the type is in JSON.
func wanted(t reflect.Type) string {
	switch t.Kind() {
	case reflect.String:
		return "a string"
	case reflect.Uint64:
		return "a whole number of at least 0"
	case reflect.Slice:
		return "a list of alerts"
	}
	return "an object"
}

// oneLine renders err as one line of bounded length.
func oneLine(err error) string {
	text := strings.Join(strings.Fields(err.Error()), " ")
	if len(text) > maxReason {
		text = strings.ToValidUTF8(text[:maxReason], "") + "…"
	}
	return text
}
