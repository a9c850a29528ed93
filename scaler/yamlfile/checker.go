package yamlfile

import (
	"bytes"
	"errors"
	"fmt"
	"io"

	"go.yaml.in/yaml/v3"
)

// Checker collects what is wrong with the values of a file that was decoded,
// each with its place. It is not safe for concurrent use.
type Checker struct {
	// File is what errors call the file.
	File string
	// Root has the nodes of the file; zero where the values are in no file.
	Root *yaml.Node
	// Errs in the order found.
	Errs Errors
}

// Add notes msg, which says what is wrong with the value at path and what would
// be right. A path is made of keys and of indexes into lists.
func (c *Checker) Add(msg string, path ...any) {
	c.Errs = append(c.Errs, &Error{File: c.File, Line: lineAt(c.Root, path), Key: keyOf(path), Msg: msg})
}

// Addf is Add with a format.
func (c *Checker) Addf(path []any, format string, args ...any) {
	c.Add(fmt.Sprintf(format, args...), path...)
}

// Line is where the value at path is written: its own line or, where it is not
// written, that of the nearest thing around it that is.
func (c *Checker) Line(path ...any) int { return lineAt(c.Root, path) }

// Find returns the value at path, nil where it is not written there.
func (c *Checker) Find(path ...any) *yaml.Node { return find(c.Root, path) }

// Written reports whether there is a value at path, and not null.
func (c *Checker) Written(path ...any) bool {
	n := find(c.Root, path)
	return n != nil && n.ShortTag() != "!!null"
}

// OneDocument refuses what follows the first document in b, the text of the
// file.
func (c *Checker) OneDocument(b []byte) {
	dec := yaml.NewDecoder(bytes.NewReader(b))
	var first, second yaml.Node
	if dec.Decode(&first) != nil {
		return // which is an error of its own
	}
	if err := dec.Decode(&second); !errors.Is(err, io.EOF) {
		c.Errs = append(c.Errs, &Error{File: c.File, Line: second.Line, Msg: "only one YAML document is allowed in the file; take out what follows the line ---"})
	}
}
