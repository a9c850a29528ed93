package config

import (
	"fmt"
	"reflect"
	"regexp"
	"strings"

	"github.com/prometheus/common/model"
	"go.yaml.in/yaml/v3"

	"github.com/alertscaler/alertscaler/scaler/target"
	"github.com/alertscaler/alertscaler/scaler/yamlfile"
)

// Decode decodes b, the YAML text of a file, strictly over the defaults in into,
// a pointer to a struct, as yamlfile.Dialect.Decode does, and knows the types of
// this package. Platforms are known where a Target is written; nil: there are
// none.
func Decode(file string, b []byte, platforms *target.Registry, into any) (*yaml.Node, error) {
	return dialect(platforms).Decode(file, b, into)
}

func dialect(platforms *target.Registry) *yamlfile.Dialect {
	return &yamlfile.Dialect{
		Field:   func(into reflect.Type, key string) reflect.Type { return platformType(platforms, into, key) },
		Text:    isText,
		Private: private.MatchString,
		Say:     say,
	}
}

// platformType is the type of what stands below the key of a platform.
func platformType(platforms *target.Registry, into reflect.Type, key string) reflect.Type {
	if platforms == nil {
		return nil
	}
	var cfg any
	var err error
	switch into {
	case reflect.TypeFor[Target]():
		cfg, err = platforms.New(key)
	case reflect.TypeFor[Discovery]():
		cfg, err = platforms.NewDiscovery(key)
	}
	if err != nil {
		return nil
	}
	return reflect.TypeOf(cfg)
}

// isText reports whether a type is text that has a name.
func isText(typeName string) bool {
	return strings.HasPrefix(typeName, "policy.") || strings.HasPrefix(typeName, "target.") || strings.HasSuffix(typeName, ".Secret")
}

// private are the keys of values that errors do not repeat.
var private = regexp.MustCompile(`(?i)(?:^|\.)(?:basic_auth|oauth2|http_headers|env|extra_vars|[\w-]*` + sensitive + `[\w-]*)(?:\.|$)`)

// noDuration is how the Prometheus libraries refuse a duration.
var noDuration = regexp.MustCompile(`^not a valid duration string: (".*")$`)

// say puts into words what the Prometheus libraries and net/url refuse.
func say(msg string, value *yaml.Node) string {
	if m := noDuration.FindStringSubmatch(msg); m != nil {
		return fmt.Sprintf("%s is not a duration; write it as 30s, 5m or 1h30m", m[1])
	}
	switch {
	case value == nil:
		return ""
	case strings.HasSuffix(msg, "duration out of range"):
		return fmt.Sprintf("%q is too long; no duration here is longer than %s", value.Value, model.Duration(maxDuration))
	case strings.HasPrefix(msg, "parse "):
		return fmt.Sprintf("%q is not a URL; write it as http://host:port", redact(value.Value))
	}
	return ""
}
