package main

import (
	"errors"
	"fmt"
	"regexp"
	"regexp/syntax"
	"strconv"
	"time"

	"github.com/alecthomas/kingpin/v2"
	"github.com/prometheus/common/model"
)

// maxDuration is the longest that a flag takes.
const maxDuration = model.Duration(365 * 24 * time.Hour)

// value is a flag's value that knows the flag, which kingpin does not name in
// its errors.
type value struct {
	text string
	set  func(text string) error
}

var _ kingpin.Value = (*value)(nil)

// Set implements kingpin.Value.
func (v *value) Set(text string) error {
	if err := v.set(text); err != nil {
		return err
	}
	v.text = text
	return nil
}

// String implements kingpin.Value.
func (v *value) String() string { return v.text }

// durationFlag sets to as Prometheus writes durations.
func durationFlag(flag *kingpin.FlagClause, to *model.Duration) {
	name := flag.Model().Name
	flag.SetValue(&value{set: func(text string) (err error) {
		*to, err = parseDuration(name, text)
		return err
	}})
}

// parseDuration says which flag is wrong, and what would be right.
func parseDuration(flag, text string) (model.Duration, error) {
	d, err := model.ParseDuration(text)
	switch {
	case err != nil && (text == "" || !digits.MatchString(text)):
		return 0, fmt.Errorf("--%s: %q is not a duration; write it as 30s, 5m or 1h30m", flag, text)
	case err != nil || d > maxDuration:
		return 0, fmt.Errorf("--%s: %q is too long; it is at most %s", flag, text, maxDuration)
	}
	return d, nil
}

// digits is how a duration is written that may be longer than one can be.
var digits = regexp.MustCompile(`^([0-9]+y)?([0-9]+w)?([0-9]+d)?([0-9]+h)?([0-9]+m)?([0-9]+s)?([0-9]+ms)?$`)

// floatFlag is a flag that is a number.
func floatFlag(flag *kingpin.FlagClause) *float64 {
	name, to := flag.Model().Name, new(float64)
	flag.SetValue(&value{set: func(text string) (err error) {
		if *to, err = strconv.ParseFloat(text, 64); err != nil {
			return fmt.Errorf("--%s: %q is not a number, as 2.5 is", name, text)
		}
		return nil
	}})
	return to
}

// regexpFlag is a flag that is a regular expression; nil: it was not given.
func regexpFlag(flag *kingpin.FlagClause) **regexp.Regexp {
	name, to := flag.Model().Name, new(*regexp.Regexp)
	flag.SetValue(&value{set: func(text string) (err error) {
		*to, err = regexp.Compile(text)
		if wrong, ok := errors.AsType[*syntax.Error](err); ok {
			return fmt.Errorf("--%s: the regular expression %q is not valid: %s", name, text, wrong.Code)
		}
		return err
	}})
	return to
}
