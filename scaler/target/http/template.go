package http

import (
	"encoding/json"
	"fmt"
	"mime"
	"strings"
	"text/template"
)

// Template is a body in the language of text/template. Its values are Desired,
// Policy, Target and ScaleTarget, and it has one function of its own, json,
// which renders a value as JSON does.
type Template string

// values are what a Template can use.
type values struct {
	Desired                     int
	Policy, Target, ScaleTarget string
}

func (t Template) parse() (*template.Template, error) {
	return template.New("body").Option("missingkey=error").Funcs(template.FuncMap{
		"json": func(v any) (string, error) {
			b, err := json.Marshal(v)
			return string(b), err
		},
	}).Parse(string(t))
}

func (t Template) validate() error {
	if _, err := t.parse(); err != nil {
		return fmt.Errorf("is not a template: %w", err)
	}
	if _, err := t.render(values{}); err != nil {
		return fmt.Errorf("%w; the values are .Desired, .Policy, .Target and .ScaleTarget", err)
	}
	return nil
}

func (t Template) render(v values) (string, error) {
	parsed, err := t.parse()
	if err != nil {
		return "", err
	}
	var b strings.Builder
	err = parsed.Execute(&b, v)
	return b.String(), err
}

// isJSON reports whether the media type is JSON's or one that is written in
// it, such as application/merge-patch+json.
func isJSON(contentType string) bool {
	media, _, err := mime.ParseMediaType(contentType)
	return err == nil && (media == "application/json" || strings.HasSuffix(media, "+json"))
}
