package config

import (
	"errors"
	"fmt"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// Error is one thing wrong with a configuration.
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

// Errors is everything wrong with a configuration, in the order of the file
// as far as that is known.
type Errors []*Error

// Error renders one error a line.
func (e Errors) Error() string {
	lines := make([]string, len(e))
	for i := range e {
		lines[i] = e[i].Error()
	}
	return strings.Join(lines, "\n")
}

var (
	yamlLine     = regexp.MustCompile(`^(?:yaml: )?line (\d+): (.*)$`)
	unknownField = regexp.MustCompile(`^field (\S+) not found in type (\S+)$`)
	wrongType    = regexp.MustCompile("^cannot unmarshal !!(\\w+)(?: `(.*)`)? into (.+)$")
)

// decodeErrors turns what yaml says into Errors that speak of the file.
func decodeErrors(file string, err error) error {
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
		e.Msg = inWords(e.Msg)
		out = append(out, e)
	}
	return out
}

// inWords says what yaml means without naming Go types.
func inWords(msg string) string {
	if m := unknownField.FindStringSubmatch(msg); m != nil {
		known := knownKeys(m[2])
		if known == "" {
			return fmt.Sprintf("unknown key %q", m[1])
		}
		return fmt.Sprintf("unknown key %q; known here are %s", m[1], known)
	}
	if m := wrongType.FindStringSubmatch(msg); m != nil {
		want := "a mapping of keys"
		switch {
		case strings.HasPrefix(m[3], "int"):
			want = "a whole number"
		case strings.HasPrefix(m[3], "float"):
			want = "a number"
		case m[3] == "bool":
			want = "true or false"
		case m[3] == "string", strings.HasPrefix(m[3], "policy."):
			want = "text"
		case strings.HasPrefix(m[3], "[]"):
			want = "a list"
		}
		got := m[2]
		if got == "" {
			got = map[string]string{"seq": "a list", "map": "a mapping"}[m[1]]
		} else {
			got = strconv.Quote(got)
		}
		return fmt.Sprintf("%s is not %s", got, want)
	}
	return msg
}

// knownKeys lists the keys of one of this package's types by the name yaml
// gives it, or "" where the type is another package's.
func knownKeys(typeName string) string {
	for _, t := range []reflect.Type{
		reflect.TypeFor[Config](), reflect.TypeFor[Global](), reflect.TypeFor[rawPrometheus](),
		reflect.TypeFor[rawAlertmanager](), reflect.TypeFor[rawPolicy](), reflect.TypeFor[Alerts](),
		reflect.TypeFor[AlertStep](), reflect.TypeFor[Resource](), reflect.TypeFor[Reservation](),
		reflect.TypeFor[Behavior](), reflect.TypeFor[Step](), reflect.TypeFor[rawSchedule](),
		reflect.TypeFor[rawOnMissing](), reflect.TypeFor[rawUsage](), reflect.TypeFor[Budget](),
		reflect.TypeFor[Victims](),
		reflect.TypeFor[rawTemplate](),
	} {
		if t.String() == typeName {
			keys := yamlKeys(t)
			slices.Sort(keys)
			return strings.Join(keys, ", ")
		}
	}
	return ""
}

func yamlKeys(t reflect.Type) []string {
	var keys []string
	for f := range t.Fields() {
		name, options, _ := strings.Cut(f.Tag.Get("yaml"), ",")
		switch {
		case strings.Contains(options, "inline") && f.Type.Kind() == reflect.Struct:
			keys = append(keys, yamlKeys(f.Type)...)
		case name != "" && name != "-":
			keys = append(keys, name)
		}
	}
	return keys
}
