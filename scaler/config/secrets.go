package config

import (
	"reflect"
	"regexp"
	"strings"

	commoncfg "github.com/prometheus/common/config"
	"go.yaml.in/yaml/v3"

	"github.com/alertscaler/alertscaler/scaler/drain"
	"github.com/alertscaler/alertscaler/scaler/yamlfile"
)

// secret stands for what is not shown.
const secret = yamlfile.Secret

// hide takes out of n, which was rendered from v, what may be a secret. What
// is shown is a list: text of the fields of our types, of URLs the scheme, the
// host and the path. Whatever people may put anything into is hidden: the
// values of mappings, such as variables of an environment, and headers.
func hide(n *yaml.Node, v reflect.Value) {
	for v.IsValid() && (v.Kind() == reflect.Pointer || v.Kind() == reflect.Interface) {
		v = v.Elem()
	}
	if !v.IsValid() {
		hideAll(n)
		return
	}
	switch n.Kind {
	case yaml.DocumentNode:
		hide(n.Content[0], v)
	case yaml.ScalarNode:
		n.Value = shown(n.Value, v.Type())
	case yaml.SequenceNode:
		hideList(n, v)
	case yaml.MappingNode:
		hideMapping(n, v)
	}
}

func hideList(n *yaml.Node, v reflect.Value) {
	switch {
	case v.Kind() != reflect.Slice || v.Len() != len(n.Content):
		// A type that renders itself, such as matchers.
		for _, c := range n.Content {
			c.Value = shownText(c.Value)
		}
	case v.Type().Elem().Kind() == reflect.String:
		hideArguments(n.Content)
	default:
		for i, c := range n.Content {
			hide(c, v.Index(i))
		}
	}
}

func hideMapping(n *yaml.Node, v reflect.Value) {
	fields := make(map[string]reflect.Value)
	rest := renderedFields(v, fields)
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, value := n.Content[i].Value, n.Content[i+1]
		field, ok := fields[key]
		switch {
		case ok && v.Type() == reflect.TypeFor[drain.HTTPConfig]() && key == "url":
			value.Value = shownHook(value.Value)
		case ok && v.Type() == reflect.TypeFor[commoncfg.Header]() && key == "values":
			hideAll(value)
		case ok:
			hide(value, field)
		case rest.IsValid() && rest.Type().Elem().Kind() == reflect.Struct:
			hide(value, rest.MapIndex(reflect.ValueOf(key)))
		default:
			hideAll(value)
		}
	}
}

// renderedFields fills in the values behind the keys of what v is rendered as,
// and returns the mapping, if there is one, that has the other keys.
func renderedFields(v reflect.Value, fields map[string]reflect.Value) (rest reflect.Value) {
	switch v.Kind() {
	case reflect.Map:
		return v
	case reflect.Struct:
	default:
		return reflect.Value{}
	}
	for i := range v.NumField() {
		field := v.Type().Field(i)
		name, options, _ := strings.Cut(field.Tag.Get("yaml"), ",")
		switch {
		case strings.Contains(options, "inline"):
			inner := v.Field(i)
			for inner.Kind() == reflect.Pointer && !inner.IsNil() {
				inner = inner.Elem()
			}
			if r := renderedFields(inner, fields); r.IsValid() {
				rest = r
			}
		case name == "-" || !field.IsExported():
		case name == "":
			fields[strings.ToLower(field.Name)] = v.Field(i)
		default:
			fields[name] = v.Field(i)
		}
	}
	switch t := v.Interface().(type) {
	case Target:
		if t.Platform != nil {
			fields[t.Platform.Platform()] = reflect.ValueOf(t.Platform)
		}
	case Discovery:
		if t.Platform != nil {
			fields[t.Platform.Platform()] = reflect.ValueOf(t.Platform)
		}
	}
	return rest
}

// hideAll hides every value below n.
func hideAll(n *yaml.Node) {
	if n.Kind == yaml.ScalarNode {
		*n = yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: secret}
		return
	}
	for i, c := range n.Content {
		if n.Kind == yaml.SequenceNode || i%2 == 1 {
			hideAll(c)
		}
	}
}

// sensitive are words that name what nobody should see.
const sensitive = `(?:token|secret|passw(?:or)?d|passphrase|api[-_]?key|access[-_]?key|private[-_]?key|credential|authorization|signature)`

var (
	// option is an argument such as --token=abc or API_TOKEN=abc, optionName one
	// whose value is the next argument.
	option     = regexp.MustCompile(`(?is)^(-{0,2}[\w.-]*` + sensitive + `[\w.-]*\s*[=:]\s*).+$`)
	optionName = regexp.MustCompile(`(?i)^-{1,2}[\w.-]*` + sensitive + `[\w.-]*$`)
	// member is part of a JSON text.
	member = regexp.MustCompile(`(?i)("[^"]*` + sensitive + `[^"]*"\s*:\s*")(?:[^"\\]|\\.)*"`)
	// absolute is a text that is a URL and nothing else.
	absolute = regexp.MustCompile(`^[a-zA-Z][a-zA-Z0-9+.-]*://\S+$`)
)

// hideArguments hides what follows the options of a command that take secrets.
func hideArguments(args []*yaml.Node) {
	for i, arg := range args {
		switch {
		case i > 1 && optionName.MatchString(args[i-1].Value) && !strings.HasPrefix(arg.Value, "-"):
			arg.Value = secret
		default:
			arg.Value = shownText(option.ReplaceAllString(arg.Value, "${1}"+secret))
		}
	}
}

// shown is the text of a value of type t without what may be secret.
func shown(s string, t reflect.Type) string {
	if t.Name() == "URL" && !absolute.MatchString(s) {
		return hideQuery(s)
	}
	return shownText(s)
}

// shownText is text without what may be secret in it.
func shownText(s string) string {
	if absolute.MatchString(s) {
		return shownURL(s)
	}
	return member.ReplaceAllString(s, "${1}"+secret+`"`)
}

// shownURL is an absolute URL with user, password and the values of its query
// hidden; what is left is still a URL.
func shownURL(s string) string {
	scheme, rest, _ := strings.Cut(s, "://")
	end := strings.IndexAny(rest, "/?#")
	if end < 0 {
		end = len(rest)
	}
	host := rest[:end]
	if at := strings.LastIndex(host, "@"); at >= 0 {
		user := "xxxxx"
		if strings.Contains(host[:at], ":") {
			user += ":xxxxx"
		}
		host = user + host[at:]
	}
	return scheme + "://" + host + hideQuery(rest[end:])
}

// shownHook is the URL of a hook, whose path is often the secret itself.
func shownHook(s string) string {
	s = shownURL(s)
	scheme, rest, ok := strings.Cut(s, "://")
	host, path, _ := strings.Cut(rest, "/")
	if host, _, _ = strings.Cut(host, "?"); !ok || path == "" && !strings.Contains(s, "?") {
		return s
	}
	return scheme + "://" + host + "/" + secret
}

// hideQuery hides the values of the query, and the fragment.
func hideQuery(s string) string {
	s, _, _ = strings.Cut(s, "#")
	path, query, ok := strings.Cut(s, "?")
	if !ok || query == "" {
		return s
	}
	pairs := strings.Split(query, "&")
	for i, pair := range pairs {
		name, _, valued := strings.Cut(pair, "=")
		if pairs[i] = secret; valued {
			pairs[i] = name + "=" + secret
		}
	}
	return path + "?" + strings.Join(pairs, "&")
}
