package http

import (
	"encoding/json"
	"strings"
	"testing"
)

func TestPath(t *testing.T) {
	t.Parallel()
	const doc = `{"n": 7, "spec": {"replicas": 3, "a.b": 4}, "items": [{"count": 1}, {"count": 2}], "0": 9, "float": 5.0, "e": 2e1, "none": null}`
	for path, want := range map[Path]int{
		"n": 7, "$.n": 7, "spec.replicas": 3, "$.spec.replicas": 3, `spec.a\.b`: 4,
		"items.0.count": 1, "items.1.count": 2, "items.#": 2, "0": 9, "float": 5, "e": 20,
	} {
		if got, err := path.number(parsed(t, doc)); err != nil || got != want {
			t.Errorf("%s: %d, %v, want %d", path, got, err, want)
		}
	}
	if got, err := Path("$").number(parsed(t, "12")); err != nil || got != 12 {
		t.Errorf("$: %d, %v, want 12", got, err)
	}
	for path, want := range map[Path]string{
		"none": "does not have it", "missing": "does not have it", "spec.missing.deeper": "does not have it",
		"items.2.count": "does not have it", "items.-1.count": "no place in a list", "items.x": "no place in a list",
		"spec": "an object is not", "items": "a list is not", "n.m": "nothing can be below 7",
	} {
		if _, err := path.number(parsed(t, doc)); err == nil || !strings.Contains(err.Error(), string(path)+": ") || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", path, err, want)
		}
	}
	for _, path := range []Path{"", "a..b", ".a", "a.", "$.", "items.#.count"} {
		if parts, err := path.parse(); err == nil {
			t.Errorf("%q is a path: %q", path, parts)
		}
	}
}

func parsed(t *testing.T, text string) (doc any) {
	t.Helper()
	dec := json.NewDecoder(strings.NewReader(text))
	dec.UseNumber()
	if err := dec.Decode(&doc); err != nil {
		t.Fatal(err)
	}
	return doc
}
