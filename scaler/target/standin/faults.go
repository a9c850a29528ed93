package standin

import "strings"

// Faults are bad answers that wait for requests. Whoever uses them holds the
// lock. The zero value has none.
type Faults[F any] []*waiting[F]

type waiting[F any] struct {
	fault        F
	method, path string
	left         int // how many requests get it yet; below 0: all
}

// Add has the next requests answered with a fault whose path contains path, and
// whose method is that, where it is not empty: so many times; 0: all of them.
// Earlier faults come first.
func (f *Faults[F]) Add(fault F, method, path string, times int) {
	if times == 0 {
		times = -1
	}
	*f = append(*f, &waiting[F]{fault, method, path, times})
}

// For is the fault that a request gets, nil for none.
func (f Faults[F]) For(method, path string) *F {
	for _, w := range f {
		if w.left != 0 && (w.method == "" || w.method == method) && strings.Contains(path, w.path) {
			w.left--
			return &w.fault
		}
	}
	return nil
}
