package alerts

import "context"

// Store keeps the book over a restart.
//
// The book calls SaveAlerts from one goroutine at a time and LoadAlerts once,
// before any other call.
type Store interface {
	// SaveAlerts writes put, by fingerprint, over what was stored and deletes
	// the fingerprints in remove, together or not at all. It returns when the
	// change is durable, or with an error once ctx is done, when the change may
	// be made or not. Removing an unknown fingerprint is not an error. The
	// slices are the caller's again afterwards.
	SaveAlerts(ctx context.Context, put []Alert, remove []string) error
	// LoadAlerts returns every alert stored, in any order.
	LoadAlerts() ([]Alert, error)
}
