package yamlfile

import (
	"fmt"
	"strings"

	"go.yaml.in/yaml/v3"
)

// Error is one thing wrong with a file.
type Error struct {
	File string
	// Line of the file; 0 where the whole file is meant.
	Line int
	// Key is the path to the value: policies[0].min; empty where decoding
	// itself failed.
	Key string
	// Msg says what is wrong and what would be right.
	Msg string
}

// Error renders "file:line: key: message".
func (e *Error) Error() string {
	var b strings.Builder
	b.WriteString(e.File)
	if e.Line > 0 {
		fmt.Fprintf(&b, ":%d", e.Line)
	}
	b.WriteString(": ")
	if e.Key != "" {
		b.WriteString(e.Key + ": ")
	}
	b.WriteString(e.Msg)
	return b.String()
}

// Errors is everything wrong with a file, in the order of the file as far as
// that is known.
type Errors []*Error

// Error renders one error a line.
func (e Errors) Error() string {
	lines := make([]string, len(e))
	for i := range e {
		lines[i] = e[i].Error()
	}
	return strings.Join(lines, "\n")
}

// ErrorAt is an error at n's line, for a type that decodes itself: yaml collects
// it with its own errors, and Decode makes it one of Errors.
func ErrorAt(n *yaml.Node, format string, args ...any) error {
	return &yaml.TypeError{Errors: []string{fmt.Sprintf("line %d: %s", n.Line, fmt.Sprintf(format, args...))}}
}
