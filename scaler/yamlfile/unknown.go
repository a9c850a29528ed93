package yamlfile

import (
	"fmt"
	"reflect"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// unknown says that a key is not known, and what is.
func (w words) unknown(key string) string {
	f := finder{key: key, line: w.line, seen: make(map[visit]bool)}
	f.walk(w.place)
	if len(f.known) == 0 {
		return fmt.Sprintf("unknown key %q", key)
	}
	slices.Sort(f.known)
	msg := fmt.Sprintf("unknown key %q; known here are %s", key, strings.Join(f.known, ", "))
	if near := nearest(key, f.known); near != "" {
		msg += fmt.Sprintf("; did you mean %s?", near)
	}
	return msg
}

// finder finds the mapping in which a key is not known, and the keys that are.
type finder struct {
	key   string
	line  int
	seen  map[visit]bool
	known []string
}

// visit is a node that was decoded into a type; by an alias one node may be
// decoded into several.
type visit struct {
	*yaml.Node
	reflect.Type
}

// walk follows p as it is decoded.
func (f *finder) walk(p place) {
	for p.into.Kind() == reflect.Pointer {
		p.into = p.into.Elem()
	}
	if f.known != nil || f.seen[visit{p.node, p.into}] {
		return
	}
	f.seen[visit{p.node, p.into}] = true
	switch {
	case p.node.Kind == yaml.DocumentNode:
		p.node = p.node.Content[0]
		f.walk(p)
		return
	case p.node.Kind == yaml.AliasNode:
		p.node = p.node.Alias
		f.walk(p)
		return
	case p.node.Kind == yaml.MappingNode && p.into.Kind() == reflect.Struct && f.here(p):
		return
	}
	for _, inner := range p.inner() {
		f.walk(inner)
	}
}

// here reports whether p has the key and does not know it, and notes what it
// knows then.
func (f *finder) here(p place) bool {
	for i := 0; i+1 < len(p.node.Content); i += 2 {
		key, value := p.node.Content[i], p.node.Content[i+1]
		if key.Value == "<<" {
			f.walk(place{value, p.into, p.dialect, p.path})
			continue
		}
		if _, ok := p.field(key.Value); !ok && key.Value == f.key && key.Line == f.line {
			for name := range yamlFields(p.into) {
				f.known = append(f.known, name)
			}
			return true
		}
	}
	return false
}

// nearest is the known key that was probably meant, empty where none is near.
func nearest(key string, known []string) string {
	best, least := "", 1+max(1, len(key)/3)
	for _, k := range known {
		if d := distance(key, k); d < least {
			best, least = k, d
		}
	}
	return best
}

// distance is how many letters to add, take out or change to make b of a.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			change := diagonal
			if a[i] != b[j] {
				change++
			}
			diagonal = row[j+1]
			row[j+1] = min(change, row[j+1]+1, row[j]+1)
		}
	}
	return row[len(b)]
}
