package alerts

// Store keeps the book over a restart.
//
// The book calls SaveAlerts from one goroutine at a time and LoadAlerts once,
// before any other call.
type Store interface {
	// SaveAlerts writes put, by fingerprint, over what was stored and deletes
	// the fingerprints in remove, together or not at all. It returns when the
	// change is durable. Removing an unknown fingerprint is not an error. The
	// slices are the caller's again afterwards.
	SaveAlerts(put []Alert, remove []string) error
	// LoadAlerts returns every alert stored, in any order.
	LoadAlerts() ([]Alert, error)
}
