package alerts

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/go-faster/jx"
)

// AppendJSON appends the alert to b as json.Marshal writes it, but for the
// order of labels and annotations, which means nothing, and in a fraction of the
// time: where thousands of alerts change at once, the disk would otherwise
// wait for them to be encoded; see docs/benchmarks/json.md. An error, for a time
// beyond the year 9999, leaves b as it was.
func (a Alert) AppendJSON(b []byte) ([]byte, error) {
	var w jx.Writer
	w.Buf = b
	e := alertEncoder{w: w}
	e.w.ObjStart()
	e.text("fingerprint", a.Fingerprint, true)
	e.text("status", string(a.Status), true)
	e.pairs("labels", a.Labels, true)
	e.pairs("annotations", a.Annotations, false)
	e.time("starts_at", a.StartsAt, true)
	e.time("ends_at", a.EndsAt, false)
	e.text("generator_url", a.GeneratorURL, false)
	e.text("group_key", a.GroupKey, false)
	e.text("receiver", a.Receiver, false)
	e.time("received_at", a.ReceivedAt, true)
	e.time("last_seen", a.LastSeen, true)
	e.flag("unconfirmed", a.Unconfirmed)
	e.list("silenced_by", a.SilencedBy)
	e.list("inhibited_by", a.InhibitedBy)
	if len(a.Silences) > 0 { // rare
		e.value("silences", a.Silences)
	}
	e.list("policies", a.Policies)
	e.w.ObjEnd()
	if e.err != nil {
		return b, fmt.Errorf("encode alert %s: %w", a.Fingerprint, e.err)
	}
	return e.w.Buf, nil
}

// alertEncoder writes the fields of an alert; those that are not wanted in any
// case are left out where they are empty.
type alertEncoder struct {
	w     jx.Writer
	comma bool
	err   error
}

func (e *alertEncoder) name(name string) {
	if e.comma {
		e.w.Comma()
	}
	e.comma = true
	e.w.FieldStart(name)
}

func (e *alertEncoder) text(name, value string, always bool) {
	if value == "" && !always {
		return
	}
	e.name(name)
	e.w.Str(value)
}

func (e *alertEncoder) pairs(name string, kv map[string]string, always bool) {
	if len(kv) == 0 && !always {
		return
	}
	e.name(name)
	if kv == nil {
		e.w.Null()
		return
	}
	e.w.ObjStart()
	comma := false
	for k, v := range kv {
		if comma {
			e.w.Comma()
		}
		comma = true
		e.w.FieldStart(k)
		e.w.Str(v)
	}
	e.w.ObjEnd()
}

func (e *alertEncoder) time(name string, t time.Time, always bool) {
	if t.IsZero() && !always {
		return
	}
	e.name(name)
	var space [len(time.RFC3339Nano)]byte
	text, err := t.AppendText(space[:0])
	if err != nil && e.err == nil {
		e.err = fmt.Errorf("%s: %w", name, err)
	}
	e.w.ByteStr(text)
}

func (e *alertEncoder) flag(name string, value bool) {
	if value {
		e.name(name)
		e.w.Bool(value)
	}
}

func (e *alertEncoder) list(name string, values []string) {
	if len(values) == 0 {
		return
	}
	e.name(name)
	e.w.ArrStart()
	for i, v := range values {
		if i > 0 {
			e.w.Comma()
		}
		e.w.Str(v)
	}
	e.w.ArrEnd()
}

func (e *alertEncoder) value(name string, v any) {
	e.name(name)
	text, err := json.Marshal(v)
	if err != nil && e.err == nil {
		e.err = fmt.Errorf("%s: %w", name, err)
	}
	e.w.Raw(text)
}
