package share

import (
	"sync"
	"time"

	"github.com/google/uuid"
)

// Token makes a request the same one as before where its answer was lost and it
// is made again: a platform carries out requests of one token once. The zero
// value is ready; all methods are safe for concurrent use.
type Token struct {
	// Within is for how long a request made again is the same one; 0: for ever.
	// It is set before the first call.
	Within time.Duration

	mu             sync.Mutex
	token, request string
	at             time.Time
}

// For returns the token of a request, a new one unless the last request was the
// same and has not been answered.
func (t *Token) For(request string) string {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.token == "" || t.request != request || (t.Within > 0 && time.Since(t.at) >= t.Within) {
		t.token, t.request, t.at = uuid.NewString(), request, time.Now()
	}
	return t.token
}

// Answered says that it is known what came of the last request.
func (t *Token) Answered() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.token = ""
}
