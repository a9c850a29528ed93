package config

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"math"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/prometheus/common/model"
	"go.yaml.in/yaml/v3"

	"github.com/alertscaler/alertscaler/scaler/target"
)

// maxFile is the largest file that is read.
const maxFile = 16 << 20

var (
	yamlLine     = regexp.MustCompile(`^(?:yaml: )?line (\d+): (.*)$`)
	unknownField = regexp.MustCompile(`^field (\S+) not found in type (\S+)$`)
	wrongType    = regexp.MustCompile("(?s)^cannot unmarshal (!\\S+)(?: `(.*)`)? into (.+)$")
)

// Decode decodes b, the YAML text of a file, strictly over the defaults in into,
// a pointer to a struct. It returns the nodes of the text; of an empty one they
// are zero. Its errors are Errors, in words that name no type. Platforms are
// known where a Target is written; nil: there are none.
func Decode(file string, b []byte, platforms *target.Registry, into any) (*yaml.Node, error) {
	root, err := parse(file, b)
	if err != nil || root.IsZero() {
		return root, err
	}
	dec := yaml.NewDecoder(bytes.NewReader(b))
	dec.KnownFields(true)
	if err := dec.Decode(into); err != nil {
		return nil, decodeErrors(file, place{root, reflect.TypeOf(into), platforms, nil}, err)
	}
	return root, nil
}

// place is where something is written, and what it is decoded into.
type place struct {
	node      *yaml.Node
	into      reflect.Type
	platforms *target.Registry
	path      []any
}

// decodeErrors turns what yaml says of the values at p into Errors that speak
// of the file.
func decodeErrors(file string, p place, err error) Errors {
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

// maxDepth is how deep a configuration is nested at most, below a platform.
const maxDepth = 32

// inner are the values directly within p that have a type of their own.
func (p place) inner() []place {
	var out []place
	switch {
	case p.node.Kind == yaml.SequenceNode && p.into.Kind() == reflect.Slice:
		for i, c := range p.node.Content {
			out = append(out, place{c, p.into.Elem(), p.platforms, at(p.path, i)})
		}
	case p.node.Kind == yaml.MappingNode && (p.into.Kind() == reflect.Struct || p.into.Kind() == reflect.Map):
		for i := 0; i+1 < len(p.node.Content); i += 2 {
			key := p.node.Content[i].Value
			if t, ok := p.field(key); ok {
				out = append(out, place{p.node.Content[i+1], t, p.platforms, at(p.path, key)})
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
	if p.platforms == nil {
		return nil, false
	}
	var cfg any
	var err error
	switch p.into {
	case reflect.TypeFor[Target]():
		cfg, err = p.platforms.New(key)
	case reflect.TypeFor[Discovery]():
		cfg, err = p.platforms.NewDiscovery(key)
	default:
		return nil, false
	}
	return reflect.TypeOf(cfg), err == nil
}

// words says what yaml means without naming Go types.
type words struct {
	place
	line int
	// value is the one that is meant, where that is known.
	value *yaml.Node
}

func (w words) of(msg string) string {
	if m := unknownField.FindStringSubmatch(msg); m != nil {
		return w.unknown(m[1])
	}
	if m := wrongType.FindStringSubmatch(msg); m != nil {
		return w.wrong(m[1], m[2], m[3])
	}
	if m := noDuration.FindStringSubmatch(msg); m != nil {
		return fmt.Sprintf("%s is not a duration; write it as 30s, 5m or 1h30m", m[1])
	}
	if strings.HasSuffix(msg, "duration out of range") && w.value != nil {
		return fmt.Sprintf("%q is too long; no duration here is longer than %s", w.value.Value, model.Duration(maxDuration))
	}
	if strings.HasPrefix(msg, "parse ") && w.value != nil {
		return fmt.Sprintf("%q is not a URL; write it as http://host:port", redact(w.value.Value))
	}
	return meaning(msg)
}

// noDuration is how the Prometheus libraries refuse a duration.
var noDuration = regexp.MustCompile(`^not a valid duration string: (".*")$`)

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

// wrong says that a value is of another type than is wanted.
func (w words) wrong(tag, value, into string) string {
	want, how, number := "", "", false
	switch {
	case strings.HasPrefix(into, "int"), strings.HasPrefix(into, "uint"):
		want, number = "a whole number", true
	case strings.HasPrefix(into, "float"):
		want, number = "a number", true
	case into == "bool":
		want = "true or false"
	case into == "string", strings.HasPrefix(into, "policy."), strings.HasPrefix(into, "target."), strings.HasSuffix(into, ".Secret"):
		want = "text"
	case strings.HasPrefix(into, "[]"):
		want, how = "a list", `; begin the line of each entry with "- ", or write [one, two]`
	default:
		want, how = "a mapping of keys", "; write key: value, a line each, or { key: value }"
	}
	switch tag {
	case "!!seq":
		return "a list is not " + want + how
	case "!!map":
		return "a mapping is not " + want + how
	}
	n, keys := w.scalar(value)
	if n == nil {
		return fmt.Sprintf("%q is not %s%s", value, want, how)
	}
	if private.MatchString(keys) {
		return fmt.Sprintf("%s is not %s%s", secret, want, how)
	}
	if number && n.Style&(yaml.SingleQuotedStyle|yaml.DoubleQuotedStyle) != 0 {
		if _, err := strconv.ParseFloat(n.Value, 64); err == nil {
			return fmt.Sprintf("%q is not %s, as it is in quotes; write %[1]s without them", n.Value, want)
		}
	}
	if f, err := strconv.ParseFloat(n.Value, 64); number && err == nil && math.Abs(f) >= math.MaxInt64 && !math.IsInf(f, 0) {
		return fmt.Sprintf("%s is too large a number", n.Value)
	}
	return fmt.Sprintf("%q is not %s%s", n.Value, want, how)
}

// private are the keys of values that errors do not repeat.
var private = regexp.MustCompile(`(?i)(?:^|\.)(?:basic_auth|oauth2|http_headers|env|extra_vars|[\w-]*` + sensitive + `[\w-]*)(?:\.|$)`)

// scalar finds the value in its line, of which yaml says only the beginning
// where it is long, and the keys that lead to it.
func (w words) scalar(value string) (*yaml.Node, string) {
	var found *yaml.Node
	var keys string
	begin, cut := strings.CutSuffix(value, "...")
	seen := make(map[*yaml.Node]bool)
	var walk func(*yaml.Node, string)
	walk = func(n *yaml.Node, path string) {
		if found != nil || seen[n] {
			return
		}
		seen[n] = true
		if n.Kind == yaml.ScalarNode && n.Line == w.line && (n.Value == value || cut && strings.HasPrefix(n.Value, begin)) {
			found, keys = n, path
		}
		for i, c := range n.Content {
			switch {
			case n.Kind != yaml.MappingNode:
				walk(c, path)
			case i%2 == 1:
				walk(c, path+"."+n.Content[i-1].Value)
			}
		}
	}
	walk(w.node, "")
	return found, keys
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
			f.walk(place{value, p.into, p.platforms, p.path})
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
