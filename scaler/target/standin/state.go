// Package standin is what the servers have in common that stand in for an API
// in tests: one lock over what they know, refusals, answers in JSON, injected
// faults, signatures, and numbers that are shown late. What an API looks like
// belongs to the stand-in of that API. It knows nothing of who calls.
package standin

import (
	"fmt"
	"net/http"
	"sync"
)

// State is the lock over what a stand-in knows. The zero value is ready.
type State struct{ mu sync.Mutex }

// Do runs f, one at a time.
func (s *State) Do(f func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	f()
}

// Outside runs f without the lock, for who holds it.
func (s *State) Outside(f func()) {
	s.mu.Unlock()
	defer s.mu.Lock()
	f()
}

// Try is Do for what may refuse. It returns the refusal, nil for none.
func (s *State) Try(f func()) (refusal *Refusal) {
	s.mu.Lock()
	defer s.mu.Unlock()
	defer func() {
		r := recover()
		if refused, ok := r.(*Refusal); ok {
			refusal = refused
		} else if r != nil {
			panic(r)
		}
	}()
	f()
	return nil
}

// Refusal is an answer that is not a success.
type Refusal struct {
	Status        int
	Code, Message string
	Header        map[string]string
}

// Refuse ends what runs within Try, as t.Fatal ends a test.
func Refuse(status int, code, format string, args ...any) {
	panic(&Refusal{Status: status, Code: code, Message: fmt.Sprintf(format, args...)})
}

// Require refuses unless ok. The arguments are made either way.
func Require(ok bool, status int, code, format string, args ...any) {
	if !ok {
		Refuse(status, code, format, args...)
	}
}

// SetHeader gives an answer more headers.
func SetHeader(w http.ResponseWriter, header map[string]string) {
	for k, v := range header {
		w.Header().Set(k, v)
	}
}
