package config

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"

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

// decode decodes b, the text of root, strictly over the defaults in c.
func decode(file string, b []byte, root *yaml.Node, platforms *target.Registry, c *Config) error {
	dec := yaml.NewDecoder(bytes.NewReader(b))
	dec.KnownFields(true)
	if err := dec.Decode(c); err != nil {
		return decodeErrors(file, root, platforms, err)
	}
	return nil
}

// decodeErrors turns what yaml says of the values below root into Errors that
// speak of the file.
func decodeErrors(file string, root *yaml.Node, platforms *target.Registry, err error) Errors {
	messages := []string{err.Error()}
	if typed, ok := errors.AsType[*yaml.TypeError](err); ok {
		messages = typed.Errors
	}
	out := make(Errors, 0, len(messages))
	for _, msg := range messages {
		e := &Error{File: file, Msg: strings.TrimPrefix(msg, "yaml: ")}
		if m := yamlLine.FindStringSubmatch(msg); m != nil {
			e.Line, _ = strconv.Atoi(m[1])
			e.Msg = m[2]
		}
		w := words{root: root, platforms: platforms, line: e.Line}
		e.Msg = w.of(e.Msg)
		out = append(out, e)
	}
	return out
}

// words says what yaml means without naming Go types.
type words struct {
	root      *yaml.Node
	platforms *target.Registry
	line      int
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
	if strings.HasSuffix(msg, "duration out of range") {
		return "the duration is too long; write it as 30s, 5m or 1h30m"
	}
	return meaning(msg)
}

// noDuration is how the Prometheus libraries refuse a duration.
var noDuration = regexp.MustCompile(`^not a valid duration string: (".*")$`)

// unknown says that a key is not known, and what is.
func (w words) unknown(key string) string {
	f := finder{key: key, line: w.line, platforms: w.platforms, seen: make(map[visit]bool)}
	f.walk(w.root, reflect.TypeFor[Config]())
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
	case into == "string", strings.HasPrefix(into, "policy."), strings.HasSuffix(into, ".Secret"):
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
	n := w.scalar(value)
	if n == nil {
		return fmt.Sprintf("%q is not %s%s", value, want, how)
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

// scalar finds the value in its line, of which yaml says only the beginning
// where it is long.
func (w words) scalar(value string) *yaml.Node {
	var found *yaml.Node
	begin, cut := strings.CutSuffix(value, "...")
	seen := make(map[*yaml.Node]bool)
	var walk func(*yaml.Node)
	walk = func(n *yaml.Node) {
		if found != nil || seen[n] {
			return
		}
		seen[n] = true
		if n.Kind == yaml.ScalarNode && n.Line == w.line && (n.Value == value || cut && strings.HasPrefix(n.Value, begin)) {
			found = n
		}
		for _, c := range n.Content {
			walk(c)
		}
	}
	if w.root != nil {
		walk(w.root)
	}
	return found
}

// finder finds the mapping in which a key is not known, and the keys that are.
type finder struct {
	key       string
	line      int
	platforms *target.Registry
	seen      map[visit]bool
	known     []string
}

// visit is a node that was decoded into a type; by an alias one node may be
// decoded into several.
type visit struct {
	*yaml.Node
	reflect.Type
}

// walk follows n as it is decoded into a value of type t.
func (f *finder) walk(n *yaml.Node, t reflect.Type) {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if n == nil || f.seen[visit{n, t}] || f.known != nil {
		return
	}
	f.seen[visit{n, t}] = true
	switch n.Kind {
	case yaml.DocumentNode:
		f.walk(n.Content[0], t)
	case yaml.AliasNode:
		f.walk(n.Alias, t)
	case yaml.SequenceNode:
		for _, c := range n.Content {
			if t.Kind() == reflect.Slice {
				f.walk(c, t.Elem())
			}
		}
	case yaml.MappingNode:
		switch t.Kind() {
		case reflect.Struct:
			f.mapping(n, t)
		case reflect.Map:
			for i := 1; i < len(n.Content); i += 2 {
				f.walk(n.Content[i], t.Elem())
			}
		}
	}
}

func (f *finder) mapping(n *yaml.Node, t reflect.Type) {
	fields := yamlFields(t)
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, value := n.Content[i], n.Content[i+1]
		field, ok := fields[key.Value]
		if !ok {
			field, ok = f.platform(t, key.Value)
		}
		switch {
		case ok:
			f.walk(value, field)
		case key.Value == "<<":
			f.walk(value, t)
		case key.Value == f.key && key.Line == f.line:
			for name := range fields {
				f.known = append(f.known, name)
			}
			return
		}
	}
}

// platform is the type of what stands below the name of a platform.
func (f *finder) platform(t reflect.Type, name string) (reflect.Type, bool) {
	if f.platforms == nil {
		return nil, false
	}
	var cfg any
	var err error
	switch t {
	case reflect.TypeFor[Target]():
		cfg, err = f.platforms.New(name)
	case reflect.TypeFor[Discovery]():
		cfg, err = f.platforms.NewDiscovery(name)
	default:
		return nil, false
	}
	if err != nil {
		return nil, false
	}
	return reflect.TypeOf(cfg), true
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
				for name, t := range yamlFields(inner) {
					out[name] = t
				}
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
