package webhook

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"unicode/utf8"

	"github.com/go-faster/jx"
	"github.com/prometheus/alertmanager/template"
)

// decode is json.Unmarshal into a message, and takes a fraction of its time:
// what takes longest in answering Alertmanager is reading what it sent. The
// short way understands what Alertmanager sends; whatever else arrives, valid or
// not, is left to encoding/json, so that its result and its errors are those
// that users know. FuzzDecode holds the two together. What the program would
// need without the short way is in docs/benchmarks/json.md.
func decode(body []byte, m *message) error {
	if quick(body, m) {
		return nil
	}
	*m = message{}
	return json.Unmarshal(body, m)
}

// errUnusual ends the short way.
var errUnusual = errors.New("not what Alertmanager sends")

// quick decodes body, or reports that it is for encoding/json to judge; m is
// of no use then.
func quick(body []byte, m *message) bool {
	// encoding/json replaces what is not UTF-8.
	if !utf8.Valid(body) {
		return false
	}
	d := jx.DecodeBytes(body)
	if object(d, messageFields, func(f string) error { return m.field(d, f) }) != nil {
		return false
	}
	// Nothing follows.
	return d.Next() == jx.Invalid && errors.Is(d.Skip(), io.EOF)
}

var (
	messageFields = []string{"version", "receiver", "groupKey", "truncatedAlerts", "alerts"}
	alertFields   = []string{"status", "labels", "annotations", "startsAt", "endsAt", "generatorURL", "fingerprint"}
)

func (m *message) field(d *jx.Decoder, name string) (err error) {
	switch name {
	case "version":
		m.Version, err = text(d)
	case "receiver":
		m.Receiver, err = text(d)
	case "groupKey":
		m.GroupKey, err = text(d)
	case "truncatedAlerts":
		m.TruncatedAlerts, err = d.UInt64()
	case "alerts":
		m.Alerts = alertList{}
		err = d.Arr(func(d *jx.Decoder) error {
			// What nobody would take in must not take memory first: of the
			// shortest alerts millions have room in a body.
			if n := len(m.Alerts); n == maxAlerts || (n > 0 && m.Alerts[n-1].Status == "") {
				return errUnusual
			}
			m.Alerts = append(m.Alerts, template.Alert{})
			a := &m.Alerts[len(m.Alerts)-1]
			return object(d, alertFields, func(f string) error { return alertField(d, a, f) })
		})
	}
	return err
}

func alertField(d *jx.Decoder, a *template.Alert, name string) (err error) {
	switch name {
	case "status":
		a.Status, err = text(d)
	case "labels":
		a.Labels, err = pairs(d)
	case "annotations":
		a.Annotations, err = pairs(d)
	case "startsAt":
		err = unmarshal(d, &a.StartsAt)
	case "endsAt":
		err = unmarshal(d, &a.EndsAt)
	case "generatorURL":
		a.GeneratorURL, err = text(d)
	case "fingerprint":
		a.Fingerprint, err = text(d)
	}
	return err
}

// object decodes an object of which the named fields are wanted. Each of them
// may come once, and under no other spelling: encoding/json takes names in any
// case.
func object(d *jx.Decoder, names []string, field func(name string) error) error {
	if d.Next() != jx.Object {
		return errUnusual
	}
	var seen uint
	return d.ObjBytes(func(d *jx.Decoder, key []byte) error {
		for i, name := range names {
			if string(key) == name {
				if seen&(1<<i) != 0 {
					return errUnusual
				}
				seen |= 1 << i
				return field(name)
			}
		}
		for _, name := range names {
			if bytes.EqualFold(key, []byte(name)) {
				return errUnusual
			}
		}
		return d.Skip()
	})
}

func text(d *jx.Decoder) (string, error) {
	if d.Next() != jx.String {
		return "", errUnusual
	}
	return d.Str()
}

func pairs(d *jx.Decoder) (template.KV, error) {
	if d.Next() != jx.Object {
		return nil, errUnusual
	}
	kv := template.KV{}
	return kv, d.Obj(func(d *jx.Decoder, key string) (err error) {
		kv[key], err = text(d)
		return err
	})
}

// unmarshal has a value decode itself as encoding/json would.
func unmarshal(d *jx.Decoder, v json.Unmarshaler) error {
	if d.Next() != jx.String {
		return errUnusual
	}
	raw, err := d.Raw()
	if err != nil {
		return err
	}
	return v.UnmarshalJSON(raw)
}
