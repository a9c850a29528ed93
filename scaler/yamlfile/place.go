package yamlfile

import (
	"fmt"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// lineAt finds where the value at path is written: its own line or, where it is
// not written, that of the nearest thing around it that is.
func lineAt(root *yaml.Node, path []any) int {
	n := root
	if n.Kind == yaml.DocumentNode && len(n.Content) > 0 {
		n = n.Content[0]
	}
	found := n.Line
	for _, p := range path {
		for n.Kind == yaml.AliasNode {
			n = n.Alias
		}
		next, at := child(n, p)
		if next == nil {
			return found
		}
		n, found = next, at
	}
	return found
}

// find returns the value at path, nil where it is not written there.
func find(root *yaml.Node, path []any) *yaml.Node {
	n := root
	if n.Kind == yaml.DocumentNode && len(n.Content) > 0 {
		n = n.Content[0]
	}
	for _, p := range path {
		for n.Kind == yaml.AliasNode {
			n = n.Alias
		}
		if n, _ = child(n, p); n == nil {
			return nil
		}
	}
	return n
}

// child returns the value under a key or an index, and the line to show.
func child(n *yaml.Node, p any) (*yaml.Node, int) {
	switch p := p.(type) {
	case string:
		if n.Kind != yaml.MappingNode {
			return nil, 0
		}
		for i := 0; i+1 < len(n.Content); i += 2 {
			if n.Content[i].Value == p {
				return n.Content[i+1], n.Content[i].Line
			}
		}
		return merged(n, p)
	case int:
		if n.Kind == yaml.SequenceNode && p < len(n.Content) {
			return n.Content[p], n.Content[p].Line
		}
	}
	return nil, 0
}

// merged is child for a key that a mapping has from another by <<.
func merged(n *yaml.Node, key string) (*yaml.Node, int) {
	for i := 0; i+1 < len(n.Content); i += 2 {
		if n.Content[i].ShortTag() != "!!merge" {
			continue
		}
		from := []*yaml.Node{n.Content[i+1]}
		if from[0].Kind == yaml.SequenceNode {
			from = from[0].Content
		}
		for _, m := range from {
			if m.Kind == yaml.AliasNode {
				m = m.Alias
			}
			if value, at := child(m, key); value != nil {
				return value, at
			}
		}
	}
	return nil, 0
}

// keyOf renders a path as people write it: policies[0].scale_up.step.per.
func keyOf(path []any) string {
	var b strings.Builder
	for _, p := range path {
		switch p := p.(type) {
		case string:
			if b.Len() > 0 {
				b.WriteByte('.')
			}
			b.WriteString(p)
		case int:
			fmt.Fprintf(&b, "[%d]", p)
		}
	}
	return b.String()
}

// At extends a path without touching the slice it came from.
func At(path []any, more ...any) []any {
	return append(slices.Clone(path), more...)
}

// Path turns a dotted key, such as ready.http_path, into a path.
func Path(key string) []any {
	parts := strings.Split(key, ".")
	path := make([]any, len(parts))
	for i := range parts {
		path[i] = parts[i]
	}
	return path
}
