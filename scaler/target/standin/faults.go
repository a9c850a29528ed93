package standin

import "net/http"

// Faults are bad answers that wait for requests. Whoever uses them holds the
// lock. The zero value has none.
type Faults[F any] struct{ waiting []*waiting[F] }

type waiting[F any] struct {
	fault   F
	left    int // how many requests get it yet; below 0: all
	matches func(*http.Request) bool
}

// Add has the next requests that match answered with a fault, so many times;
// 0: all of them. Earlier faults come first.
func (f *Faults[F]) Add(fault F, times int, matches func(*http.Request) bool) {
	if times == 0 {
		times = -1
	}
	f.waiting = append(f.waiting, &waiting[F]{fault, times, matches})
}

// For is the fault that a request gets, nil for none.
func (f *Faults[F]) For(r *http.Request) *F {
	for _, w := range f.waiting {
		if w.left != 0 && w.matches(r) {
			w.left--
			return &w.fault
		}
	}
	return nil
}
