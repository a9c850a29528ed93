package yamlfile

import (
	"bytes"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"
)

// parse reads the nodes of a YAML text, or says in words what is no YAML.
func parse(file string, b []byte) (*yaml.Node, error) {
	if err := checkText(file, b); err != nil {
		return nil, err
	}
	root := &yaml.Node{}
	if err := yaml.Unmarshal(b, root); err != nil {
		return nil, syntaxError(file, b, err)
	}
	if errs := checkTags(file, root, nil, make(map[*yaml.Node]bool)); len(errs) > 0 {
		return nil, errs
	}
	return root, nil
}

// checkText refuses what is no text, with its line.
func checkText(file string, b []byte) error {
	if bytes.HasPrefix(b, []byte{0xfe, 0xff}) || bytes.HasPrefix(b, []byte{0xff, 0xfe}) {
		return Errors{{File: file, Line: 1, Msg: "the file is UTF-16; save it as UTF-8"}}
	}
	for i := 0; i < len(b); {
		r, size := utf8.DecodeRune(b[i:])
		switch {
		case r == utf8.RuneError && size == 1:
			return Errors{{File: file, Line: lineOf(b, i), Msg: fmt.Sprintf("the byte 0x%02x is not UTF-8; save the file as UTF-8", b[i])}}
		case r < ' ' && r != '\n' && r != '\r' && r != '\t', r == 0x7f:
			return Errors{{File: file, Line: lineOf(b, i), Msg: fmt.Sprintf("the control character 0x%02x is no text; take it out", r)}}
		}
		i += size
	}
	return nil
}

func lineOf(b []byte, offset int) int { return 1 + bytes.Count(b[:offset], []byte("\n")) }

// coreTags are those of YAML that a configuration may be written with.
var coreTags = []string{"!!str", "!!int", "!!float", "!!bool", "!!null", "!!seq", "!!map"}

// checkTags refuses tags of other programs, which yaml would pass over or
// decode by.
func checkTags(file string, n *yaml.Node, errs Errors, seen map[*yaml.Node]bool) Errors {
	if seen[n] {
		return errs
	}
	seen[n] = true
	if tag := n.ShortTag(); n.Style&yaml.TaggedStyle != 0 && !slices.Contains(coreTags, tag) {
		errs = append(errs, &Error{File: file, Line: n.Line, Msg: fmt.Sprintf("the tag %s means nothing here; leave it out", tag)})
	}
	for _, c := range n.Content {
		errs = checkTags(file, c, errs, seen)
	}
	return errs
}

// parserErrors are what yaml's parser says, which counts lines from 0 and
// means where the list or mapping begins, unless that is the first line; its
// scanner counts from 1.
var parserErrors = map[string]string{
	"did not find expected ',' or ']'":       "a list that begins with [ goes on with neither ',' nor ']'; is one of them missing, or text with a special character not in quotes?",
	"did not find expected ',' or '}'":       "a mapping that begins with { goes on with neither ',' nor '}'; is one of them missing, or text with a special character not in quotes?",
	"did not find expected key":              "a line of the mapping is not key: value; look at the indentation",
	"did not find expected '-' indicator":    "a line of the list does not begin with '-'; look at the indentation",
	"did not find expected node content":     "did not find expected node content; a value is missing here",
	"did not find expected <document start>": "what follows is not part of the mapping above it; look at the indentation",
	"found incompatible YAML document":       "the directive %YAML names another version; leave it out",
	"found duplicate %YAML directive":        "the directive %YAML is there twice; leave it out",
	"found undefined tag handle":             "a value begins with '!', which is a tag; put text in quotes",
}

// scannerErrors are what yaml's scanner says.
var scannerErrors = map[string]string{
	"found character that cannot start any token":                  "a value begins with a character that YAML keeps for itself, such as @, ` or %; put it in quotes",
	"found a tab character that violates indentation":              "a line is indented by a tab; indent by spaces",
	"found a tab character where an indentation space is expected": "a line is indented by a tab; indent by spaces",
	"mapping values are not allowed in this context":               "mapping values are not allowed in this context; text with ': ' in it needs quotes, and a key the indentation of those around it",
	"mapping keys are not allowed in this context":                 "mapping keys are not allowed in this context; look at the indentation",
	"block sequence entries are not allowed in this context":       "a list that begins with '-' is not allowed here; begin it in a line of its own",
	"could not find expected ':'":                                  "a line is not key: value; is ': ' missing, or the indentation wrong?",
	"found unexpected end of stream":                               "a quote is opened here and not closed",
	"found unexpected document indicator":                          "a quote is opened here and not closed",
	"found unknown escape character":                               `a text in double quotes has a backslash before a letter that it does not go with; write \\, or use single quotes`,
}

var (
	unknownAnchor = regexp.MustCompile(`^unknown anchor '(.*)' referenced$`)
	ownAnchor     = regexp.MustCompile(`^anchor '(.*)' value contains itself$`)
	wrongTag      = regexp.MustCompile("^cannot decode !!\\w+ `(.*)` as a (!!\\w+)$")
	tooDeep       = regexp.MustCompile(`^exceeded max depth of (\d+)$`)
	twice         = regexp.MustCompile(`^mapping key "(.*)" already defined at line (\d+)$`)
	// tabbed is a line that is indented by a tab.
	tabbed = regexp.MustCompile(`(?m)^ *\t\s*\S`)
)

// syntaxError says what yaml found to be no YAML.
func syntaxError(file string, b []byte, err error) error {
	e := &Error{File: file, Msg: strings.TrimPrefix(err.Error(), "yaml: ")}
	if m := yamlLine.FindStringSubmatch(err.Error()); m != nil {
		e.Line, _ = strconv.Atoi(m[1])
		e.Msg = m[2]
	}
	words, ofParser := parserErrors[e.Msg]
	if at := tabbed.FindIndex(b); at != nil && (ofParser || scannerErrors[e.Msg] != "") {
		e.Line, e.Msg = lineOf(b, at[0]), "the line is indented by a tab; indent by spaces"
		return Errors{e}
	}
	if m := unknownAnchor.FindStringSubmatch(e.Msg); m != nil {
		if at := bytes.Index(b, []byte("*"+m[1])); at >= 0 {
			e.Line = lineOf(b, at)
		}
		e.Msg = fmt.Sprintf("*%s refers to nothing; write &%[1]s before what it means, further up, or put text that begins with * in quotes", m[1])
		return Errors{e}
	}
	switch said := scannerErrors[e.Msg]; {
	case ofParser:
		e.Line, e.Msg = min(e.Line+1, lineOf(b, len(bytes.TrimRight(b, "\n")))), words
	case said != "":
		e.Line, e.Msg = max(e.Line, 1), said
	default:
		e.Msg = meaning(e.Msg)
	}
	return Errors{e}
}

// meaning says in words what yaml says of a document that it could parse.
func meaning(msg string) string {
	if m := twice.FindStringSubmatch(msg); m != nil {
		return fmt.Sprintf("the key %q is there twice, first in line %s; keep one", m[1], m[2])
	}
	if m := ownAnchor.FindStringSubmatch(msg); m != nil {
		return fmt.Sprintf("*%s stands within &%[1]s, which would never end", m[1])
	}
	if m := wrongTag.FindStringSubmatch(msg); m != nil {
		return fmt.Sprintf("%q is not what its tag %s says", m[1], m[2])
	}
	if m := tooDeep.FindStringSubmatch(msg); m != nil {
		return fmt.Sprintf("it is nested deeper than %s levels", m[1])
	}
	switch msg {
	case "document contains excessive aliasing":
		return "its aliases (*) would make it too large; write out what they mean"
	case "map merge requires map or sequence of maps as the value":
		return "<< takes a mapping, or a list of them, as in <<: *defaults"
	}
	return msg
}
