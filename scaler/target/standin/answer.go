package standin

import (
	"bytes"
	"cmp"
	"encoding/json"
	"io"
	"iter"
	"maps"
	"net/http"
	"slices"
	"testing/iotest"
)

// Object is an object in JSON.
type Object map[string]any

// AddIf adds an entry where ok. The value is made either way.
func (o Object) AddIf(ok bool, name string, value any) {
	if ok {
		o[name] = value
	}
}

// Either is yes where ok, and no where not.
func Either[T any](ok bool, yes, no T) T {
	if ok {
		return yes
	}
	return no
}

// JSON answers with v; nil: without a body. The other side may be gone: nobody
// is told.
func JSON(w http.ResponseWriter, status int, contentType string, v any) {
	w.Header().Set("Content-Type", contentType)
	w.WriteHeader(status)
	if v != nil {
		_ = json.NewEncoder(w).Encode(v)
	}
}

// Raw answers with a body as it is.
func Raw(w http.ResponseWriter, status int, body string) {
	w.WriteHeader(status)
	_, _ = io.WriteString(w, body)
}

// Buffer reads the body of a request and puts it back, so that a client that
// stalls in it keeps nobody from the lock. How the reading ended is told to whoever
// reads it again.
func Buffer(r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err == nil {
		err = io.EOF
	}
	r.Body = io.NopCloser(io.MultiReader(bytes.NewReader(body), iotest.ErrReader(err)))
}

// Decode reads the JSON of a request and reports whether it could.
func Decode(r *http.Request, into any) bool { return json.NewDecoder(r.Body).Decode(into) == nil }

// Put sets an entry of a map, which is made where it is nil, and returns the map.
func Put[K comparable, V any](m map[K]V, key K, value V) map[K]V {
	if m == nil {
		m = make(map[K]V)
	}
	m[key] = value
	return m
}

// Sorted has a map's values in the order of their keys.
func Sorted[K cmp.Ordered, V any](m map[K]V) iter.Seq2[K, V] {
	return func(yield func(K, V) bool) {
		for _, k := range slices.Sorted(maps.Keys(m)) {
			if !yield(k, m[k]) {
				return
			}
		}
	}
}

// Page is the part of a list that begins at from, of size at most, and where
// the next one begins; 0: nothing is left.
func Page[T any](all []T, from, size int) (part []T, next int) {
	from = min(from, len(all))
	if size >= len(all)-from {
		return all[from:], 0
	}
	return all[from : from+size], from + size
}
