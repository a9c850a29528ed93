package ledger

import (
	"fmt"

	"go.etcd.io/bbolt"

	"github.com/alertscaler/alertscaler/scaler/alerts"
)

var _ alerts.Store = (*Ledger)(nil)

// alertBytes is more than most alerts take.
const alertBytes = 1 << 10

type alertsWrite struct {
	put    map[string][]byte
	remove []string
	bytes  int
}

func (w *alertsWrite) size() int { return w.bytes }

func (w *alertsWrite) apply(tx *bbolt.Tx) error {
	b := bucket(tx, bucketAlerts)
	for _, fp := range w.remove {
		if err := b.Delete([]byte(fp)); err != nil {
			return fmt.Errorf("remove alert %s: %w", fp, err)
		}
	}
	for fp, value := range w.put {
		if err := b.Put([]byte(fp), value); err != nil {
			return fmt.Errorf("store alert %s: %w", fp, err)
		}
	}
	return nil
}

// SaveAlerts stores put by fingerprint and forgets remove, all of it or
// nothing; it is durable when it returns. A fingerprint in both is stored.
func (l *Ledger) SaveAlerts(put []alerts.Alert, remove []string) error {
	w := &alertsWrite{put: make(map[string][]byte, len(put))}
	text := make([]byte, 0, alertBytes*len(put)) // of all, one after the other
	for _, a := range put {
		if err := checkName("fingerprint", a.Fingerprint); err != nil {
			return err
		}
		begin := len(text)
		var err error
		if text, err = a.AppendJSON(text); err != nil {
			return err
		}
		text = sealFrom(text, begin, bucketAlerts, []byte(a.Fingerprint))
		w.put[a.Fingerprint] = text[begin:len(text):len(text)]
		w.bytes += len(text) - begin
	}
	for _, fp := range remove {
		if err := checkName("fingerprint", fp); err != nil {
			return err
		}
		w.remove = append(w.remove, fp)
	}
	if len(w.put)+len(w.remove) == 0 {
		return nil
	}
	return l.commit(encoded{writes: []write{w}})
}

// LoadAlerts returns every alert that is stored, by fingerprint.
func (l *Ledger) LoadAlerts() ([]alerts.Alert, error) {
	_, stored, err := all[alerts.Alert](l, bucketAlerts)
	if err != nil {
		return nil, fmt.Errorf("load alerts: %w", err)
	}
	return stored, nil
}
