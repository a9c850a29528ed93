package simulate

import (
	"errors"
	"fmt"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/alertscaler/alertscaler/scaler/config"
)

// line finds where the value at path is written: its own line or, where it is
// not written, that of the nearest thing around it that is.
func line(root *yaml.Node, path []any) int {
	n := root
	if n.Kind == yaml.DocumentNode && len(n.Content) > 0 {
		n = n.Content[0]
	}
	found := n.Line
	for _, p := range path {
		for n.Kind == yaml.AliasNode {
			n = n.Alias
		}
		var next *yaml.Node
		switch p := p.(type) {
		case string:
			for i := 0; n.Kind == yaml.MappingNode && i+1 < len(n.Content); i += 2 {
				if n.Content[i].Value == p {
					next, found = n.Content[i+1], n.Content[i].Line
				}
			}
		case int:
			if n.Kind == yaml.SequenceNode && p < len(n.Content) {
				next, found = n.Content[p], n.Content[p].Line
			}
		}
		if next == nil {
			break
		}
		n = next
	}
	return found
}

// keyOf renders a path as people write it: tests[0].usage.cpu.
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

var (
	yamlLine     = regexp.MustCompile(`(?s)^(?:yaml: )?line (\d+): (.*)$`)
	unknownField = regexp.MustCompile(`^field (\S+) not found in type (\S+)$`)
	wrongType    = regexp.MustCompile("^cannot unmarshal !!(\\w+)(?: `(.*)`)? into (.*)$")
)

// decodeErrors turns what yaml says into errors that speak of the file.
func decodeErrors(file string, err error) error {
	messages := []string{err.Error()}
	if typed, ok := errors.AsType[*yaml.TypeError](err); ok {
		messages = typed.Errors
	}
	out := make(config.Errors, 0, len(messages))
	for _, msg := range messages {
		e := &config.Error{File: file, Msg: strings.TrimPrefix(msg, "yaml: ")}
		if m := yamlLine.FindStringSubmatch(msg); m != nil {
			e.Line, _ = strconv.Atoi(m[1])
			e.Msg = m[2]
		}
		e.Msg = inWords(e.Msg)
		out = append(out, e)
	}
	return out
}

// inWords says what yaml means without naming Go types.
func inWords(msg string) string {
	if m := unknownField.FindStringSubmatch(msg); m != nil {
		return fmt.Sprintf("unknown key %q%s", m[1], knownKeys(m[2]))
	}
	m := wrongType.FindStringSubmatch(msg)
	if m == nil {
		return msg
	}
	want := "a mapping of keys"
	switch kind := m[3]; {
	case kind == "int":
		want = "a whole number"
	case kind == "bool":
		want = "true or false"
	case kind == "string", kind == "policy.Reason", kind == "target.Kind":
		want = "text"
	case strings.HasPrefix(kind, "[]"):
		want = "a list"
	}
	got := map[string]string{"seq": "a list", "map": "a mapping"}[m[1]]
	if m[2] != "" {
		got = strconv.Quote(m[2])
	}
	return fmt.Sprintf("%s is not %s", got, want)
}

// knownKeys lists the keys of one of this package's types by the name yaml
// gives it.
func knownKeys(typeName string) string {
	for _, t := range []reflect.Type{
		reflect.TypeFor[File](), reflect.TypeFor[Test](), reflect.TypeFor[Setup](), reflect.TypeFor[Alert](),
		reflect.TypeFor[Silence](), reflect.TypeFor[Event](), reflect.TypeFor[Pause](), reflect.TypeFor[Expectation](),
	} {
		if t.String() == typeName {
			all := yamlKeys(t)
			slices.Sort(all)
			return "; known here are " + strings.Join(all, ", ")
		}
	}
	return ""
}

func yamlKeys(t reflect.Type) []string {
	var all []string
	for f := range t.Fields() {
		name, options, _ := strings.Cut(f.Tag.Get("yaml"), ",")
		switch {
		case strings.Contains(options, "inline"):
			all = append(all, yamlKeys(f.Type)...)
		case name != "" && name != "-":
			all = append(all, name)
		}
	}
	return all
}
