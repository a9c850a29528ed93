// Package yamlfile reads YAML files that people write. It decodes them strictly
// and says what is wrong with its file, line and key, in words that name no type
// of a program. What a value means is not its business.
package yamlfile

import (
	"bytes"
	"errors"
	"maps"
	"reflect"
	"regexp"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// Dialect is what errors must know of one kind of file beyond the types that it
// is decoded into. The zero value knows nothing. All its methods are
// goroutine-safe, as far as its functions are.
type Dialect struct {
	// Field is the type that the value below a key of into is decoded into
	// later, where into itself does not have the key; nil: the key is unknown.
	Field func(into reflect.Type, key string) reflect.Type
	// Text reports whether a named type, such as policy.Mode, is text. What is
	// not is taken for a mapping.
	Text func(typeName string) bool
	// Private reports whether the value below these keys, joined by dots, may
	// be secret: errors do not repeat it.
	Private func(keys string) bool
	// Say puts into words what a type of a library says of a value, which is
	// nil where it is not known; empty: it has no better words.
	Say func(msg string, value *yaml.Node) string
}

// Secret stands for a value that is not shown.
const Secret = "<secret>"

var (
	yamlLine     = regexp.MustCompile(`^(?:yaml: )?line (\d+): (.*)$`)
	unknownField = regexp.MustCompile(`^field (\S+) not found in type (\S+)$`)
	wrongType    = regexp.MustCompile("(?s)^cannot unmarshal (!\\S+)(?: `(.*)`)? into (.+)$")
)

// Decode decodes b, the YAML text of a file, strictly over the defaults in into,
// a pointer to a struct. It returns the nodes of the text; of an empty one they
// are zero. Its errors are Errors; file is what they call the file.
func (d *Dialect) Decode(file string, b []byte, into any) (*yaml.Node, error) {
	root, err := parse(file, b)
	if err != nil || root.IsZero() {
		return root, err
	}
	dec := yaml.NewDecoder(bytes.NewReader(b))
	dec.KnownFields(true)
	if err := dec.Decode(into); err != nil {
		return nil, d.Explain(file, root, nil, into, err)
	}
	return root, nil
}

// Explain turns err, which yaml returned when the value at path was decoded into
// into, into Errors that speak of the file. Root has the nodes of the file, and
// the value is one of them.
func (d *Dialect) Explain(file string, root *yaml.Node, path []any, into any, err error) Errors {
	p := place{find(root, path), reflect.TypeOf(into), d, path}
	if len(path) == 0 {
		p.node = root
	}
	messages := []string{err.Error()}
	if typed, ok := errors.AsType[*yaml.TypeError](err); ok {
		messages = typed.Errors
	}
	out := make(Errors, 0, len(messages))
	for _, msg := range messages {
		e := &Error{File: file, Msg: strings.TrimPrefix(msg, "yaml: ")}
		w := words{place: p}
		if m := yamlLine.FindStringSubmatch(msg); m != nil {
			e.Line, _ = strconv.Atoi(m[1])
			e.Msg, w.line = m[2], e.Line
		} else {
			// It comes from a type that does not know its line.
			culprit := p.culprit(e.Msg)
			e.Line, e.Key, w.value = culprit.node.Line, keyOf(culprit.path), culprit.node
		}
		e.Msg = w.of(e.Msg)
		out = append(out, e)
	}
	return out
}

// place is where something is written, and what it is decoded into.
type place struct {
	node    *yaml.Node
	into    reflect.Type
	dialect *Dialect
	path    []any
}

// culprit finds the innermost value that cannot be decoded because of msg.
func (p place) culprit(msg string) place {
	for t := p.into; t.Kind() == reflect.Pointer; t = p.into {
		p.into = t.Elem()
	}
	for p.node.Kind == yaml.DocumentNode || p.node.Kind == yaml.AliasNode {
		if p.node.Kind == yaml.AliasNode {
			p.node = p.node.Alias
		} else {
			p.node = p.node.Content[0]
		}
	}
	for _, inner := range p.inner() {
		if len(inner.path) > maxDepth {
			break
		}
		err := inner.node.Decode(reflect.New(inner.into).Interface())
		if err != nil && strings.Contains(err.Error(), msg) {
			return inner.culprit(msg)
		}
	}
	return p
}

// maxDepth is how deep values are looked into for the one that is wrong.
const maxDepth = 32

// inner are the values directly within p that have a type of their own.
func (p place) inner() []place {
	var out []place
	switch {
	case p.node.Kind == yaml.SequenceNode && p.into.Kind() == reflect.Slice:
		for i, c := range p.node.Content {
			out = append(out, place{c, p.into.Elem(), p.dialect, At(p.path, i)})
		}
	case p.node.Kind == yaml.MappingNode && (p.into.Kind() == reflect.Struct || p.into.Kind() == reflect.Map):
		for i := 0; i+1 < len(p.node.Content); i += 2 {
			key := p.node.Content[i].Value
			if t, ok := p.field(key); ok {
				out = append(out, place{p.node.Content[i+1], t, p.dialect, At(p.path, key)})
			}
		}
	}
	return out
}

// field is the type of what stands below a key.
func (p place) field(key string) (reflect.Type, bool) {
	if p.into.Kind() == reflect.Map {
		return p.into.Elem(), true
	}
	if t, ok := yamlFields(p.into)[key]; ok {
		return t, true
	}
	if p.dialect.Field == nil {
		return nil, false
	}
	t := p.dialect.Field(p.into, key)
	return t, t != nil
}

// yamlFields are the types of a struct's fields by their keys.
func yamlFields(t reflect.Type) map[string]reflect.Type {
	out := make(map[string]reflect.Type)
	for field := range t.Fields() {
		name, options, _ := strings.Cut(field.Tag.Get("yaml"), ",")
		switch {
		case strings.Contains(options, "inline"):
			inner := field.Type
			for inner.Kind() == reflect.Pointer {
				inner = inner.Elem()
			}
			if inner.Kind() == reflect.Struct {
				maps.Copy(out, yamlFields(inner))
			}
		case name == "-", !field.IsExported():
		case name == "":
			out[strings.ToLower(field.Name)] = field.Type
		default:
			out[name] = field.Type
		}
	}
	return out
}
