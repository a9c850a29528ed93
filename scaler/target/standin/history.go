package standin

import (
	"slices"
	"time"
)

// History is what a value was over time. It has one before At reads it.
type History[T any] struct{ values []dated[T] }

type dated[T any] struct {
	value T
	from  time.Time
}

// Set changes the value from a time on, which is after that of the last change.
func (h *History[T]) Set(v T, from time.Time) { h.values = append(h.values, dated[T]{v, from}) }

// Last is the value that was set last; the zero value where none was.
func (h *History[T]) Last() (v T) {
	if n := len(h.values); n > 0 {
		v = h.values[n-1].value
	}
	return v
}

// At is the value at a time; before the first change, that of the first.
func (h *History[T]) At(now time.Time) T {
	for _, d := range slices.Backward(h.values) {
		if !d.from.After(now) {
			return d.value
		}
	}
	return h.values[0].value
}
