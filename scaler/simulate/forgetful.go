package simulate

import (
	"fmt"
	"time"

	"github.com/alertscaler/alertscaler/scaler"
	"github.com/alertscaler/alertscaler/scaler/ledger"
	"github.com/alertscaler/alertscaler/scaler/policy"
)

// forgetful is the ledger of an engine that no other goes on after. It is not
// safe for concurrent use.
type forgetful struct{ ids uint64 }

var _ scaler.Forgetful = (*forgetful)(nil)

// Forgets implements scaler.Forgetful.
func (*forgetful) Forgets() {}

// NewID returns identifiers that count.
func (f *forgetful) NewID(time.Time) string {
	f.ids++
	return fmt.Sprintf("%026d", f.ids)
}

// What follows implements scaler.Ledger: everything can be written, and nothing
// was.

func (*forgetful) Commit(ledger.Record) error { return nil }

func (*forgetful) Enqueue(ledger.Record) {}

func (*forgetful) Histories() (map[string]policy.History, error) { return nil, nil }

func (*forgetful) OpenActions() ([]ledger.Action, error) { return nil, nil }

func (*forgetful) Learnt(string, string) ([]byte, error) { return nil, nil }

func (*forgetful) LastRequested(string, string) (int, bool, error) { return 0, false, nil }

func (*forgetful) SetRequested(string, string, int, time.Time) error { return nil }

func (*forgetful) SavePause(string, policy.Pause) error { return nil }

func (*forgetful) DeletePause(string) error { return nil }

func (*forgetful) Pauses() (map[string]policy.Pause, error) { return nil, nil }

func (*forgetful) Err() error { return nil }
