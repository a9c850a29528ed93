package webhook

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"time"

	"github.com/prometheus/alertmanager/template"
)

// maxAlerts is the most alerts of one notification. Alertmanager writes more
// than 200 bytes for the shortest one.
const maxAlerts = DefaultMaxBody / 200

// errTooMany is of a notification with more.
var errTooMany = fmt.Errorf("more than %d alerts; set max_alerts in the receiver's webhook_configs", maxAlerts)

// alertList decodes itself alert by alert, so that an error says which one it
// is of, and nothing is decoded behind the first that is wrong.
type alertList []template.Alert

// UnmarshalJSON implements json.Unmarshaler.
func (l *alertList) UnmarshalJSON(text []byte) error {
	if bytes.Equal(text, []byte("null")) {
		*l = nil
		return nil
	}
	if text[0] != '[' {
		return &json.UnmarshalTypeError{Value: kind(text), Type: reflect.TypeFor[alertList](), Field: "alerts"}
	}
	*l = alertList{}
	dec := json.NewDecoder(bytes.NewReader(text))
	_, _ = dec.Token() // the bracket; text is valid JSON
	for i := 0; dec.More(); i++ {
		if i == maxAlerts {
			return errTooMany
		}
		var one json.RawMessage
		if err := dec.Decode(&one); err != nil {
			return err
		}
		var a template.Alert
		if err := json.Unmarshal(one, &a); err != nil {
			return fmt.Errorf("%s: %w", place(i, labelsIn(one)), whatIsWrong(one, err))
		}
		*l = append(*l, a)
		if a.Status == "" {
			break // toAlert says so
		}
	}
	return nil
}

// kind is what JSON calls the value.
func kind(text []byte) string {
	switch text[0] {
	case '{':
		return "object"
	case '[':
		return "array"
	case '"':
		return "string " + clip(text)
	case 't', 'f':
		return "bool " + clip(text)
	case 'n':
		return "null"
	}
	return "number " + clip(text)
}

func clip(text []byte) string { return fmt.Sprintf("%.40s", text) }

// fieldsOf are the fields of an alert, as they are written.
func fieldsOf(text []byte) map[string]json.RawMessage {
	var fields map[string]json.RawMessage
	_ = json.Unmarshal(text, &fields) // none of what is no object
	return fields
}

// labelsIn are the labels that can be read of an alert that cannot.
func labelsIn(text []byte) template.KV {
	labels := template.KV{}
	for name, value := range fieldsOf(fieldsOf(text)["labels"]) {
		var s string
		if json.Unmarshal(value, &s) == nil {
			labels[name] = s
		}
	}
	return labels
}

// whatIsWrong says which field of the alert is to blame for the error.
func whatIsWrong(text []byte, err error) error {
	if text[0] != '{' {
		return fmt.Errorf("is a JSON %s; want an object", kind(text))
	}
	fields := fieldsOf(text)
	for _, name := range []string{"startsAt", "endsAt"} {
		var t time.Time
		if value, ok := fields[name]; ok && json.Unmarshal(value, &t) != nil {
			return fmt.Errorf("%s is the JSON %s; want a time such as \"2026-01-05T08:00:00Z\"", name, kind(value))
		}
	}
	for _, name := range []string{"labels", "annotations"} {
		value, ok := fields[name]
		if !ok {
			continue
		}
		if value[0] != '{' && value[0] != 'n' {
			return fmt.Errorf("%s are a JSON %s; want an object", name, kind(value))
		}
		pairs := fieldsOf(value)
		for _, key := range sortedNames(pairs) {
			var s string
			if json.Unmarshal(pairs[key], &s) != nil {
				return fmt.Errorf("%s: %.40q is the JSON %s; want a string", name, key, kind(pairs[key]))
			}
		}
	}
	if e, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
		return fmt.Errorf("%s is a JSON %s; want %s", e.Field, e.Value, wanted(e.Type))
	}
	return err
}

func sortedNames(m map[string]json.RawMessage) []string {
	names := make([]string, 0, len(m))
	for n := range m {
		names = append(names, n)
	}
	slices.Sort(names)
	return names
}
