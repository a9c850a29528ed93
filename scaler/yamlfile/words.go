package yamlfile

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

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
	if w.dialect.Say != nil {
		if said := w.dialect.Say(msg, w.value); said != "" {
			return said
		}
	}
	return meaning(msg)
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
	case into == "string", w.dialect.Text != nil && w.dialect.Text(into):
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
	if w.dialect.Private != nil && w.dialect.Private(keys) {
		return fmt.Sprintf("%s is not %s%s", Secret, want, how)
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
