package config

import (
	"maps"
	"math"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"time"

	"github.com/prometheus/common/model"
)

// Bounds of the values in a configuration. They are ten times what the largest
// known installations have. A value beyond them is a typing mistake: a platform
// could be asked for it, or an intermediate result could overflow.
const (
	// MaxReplicas of a policy, of a target, of a reservation and of a step.
	MaxReplicas = 1_000_000
	// maxBudgetReplicas of a budget, which many policies share.
	maxBudgetReplicas = 1_000_000_000
	maxPriority       = 1_000_000
	// MaxRatio is the largest share of the capacity that may be kept free:
	// 1000 replicas for each that is used.
	MaxRatio = 0.999
	// maxStepRatio is the largest step, as a multiple of the count.
	maxStepRatio = 1000
	// maxAmount and minAmount are of thresholds and capacities, in whatever
	// unit: an exabyte, a nanosecond.
	maxAmount = 1e18
	minAmount = 1e-9
	// MaxPrice of a replica for an hour.
	MaxPrice = 1e9
	// maxCost of a budget for an hour.
	maxCost = 1e12
	// maxDuration is of every duration, and the others of those by which the
	// server paces itself.
	maxDuration = Duration(365 * 24 * time.Hour)
	maxInterval = Duration(24 * time.Hour)
	maxTimeout  = Duration(time.Hour)
)

// replicas checks a number of replicas.
func (v *validator) replicas(n, least int, path ...any) {
	v.integer(n, least, MaxReplicas, "number of replicas", path...)
}

// integer checks a whole number; what says of what, for the refusal.
func (v *validator) integer(n, least, most int, what string, path ...any) {
	if n < least || n > most {
		v.Addf(path, "%d is not a %s of at least %d and at most %d", n, what, least, most)
	}
}

// finite reports whether f lies from least to most, which NaN does not.
func finite(f, least, most float64) bool { return f >= least && f <= most }

// positive checks a duration that may not be none, and is at most most.
func (v *validator) positive(d, most Duration, path ...any) {
	if d <= 0 {
		v.Add("must be longer than 0s", path...)
		return
	}
	v.atMost(d, most, path...)
}

func (v *validator) atMost(d, most Duration, path ...any) {
	if d > most {
		v.Addf(path, "%s is too long; it is at most %s", model.Duration(d), model.Duration(most))
	}
}

// octal is what YAML 1.1 reads to the base of eight.
var octal = regexp.MustCompile(`^[-+]?0[0-9_]+$`)

// whole refuses numbers that yaml and people read differently: a fraction, which
// yaml cuts off where a whole number is wanted, and a leading zero, by which 010
// is eight.
func (v *validator) whole(path []any, keys ...string) {
	for _, key := range keys {
		n := v.Find(at(path, key)...)
		if n == nil {
			continue
		}
		switch n.ShortTag() {
		case "!!float":
			if f, err := strconv.ParseFloat(n.Value, 64); err != nil || f != math.Trunc(f) {
				v.Addf(at(path, key), "%s is not a whole number", n.Value)
			}
		case "!!int":
			if octal.MatchString(n.Value) {
				v.Addf(at(path, key), "%s would be read as an octal number; write it without the leading zero", n.Value)
			}
		}
	}
}

// maxInteger is of the whole numbers of platforms, whatever they count.
const maxInteger = 1_000_000_000

// bounded refuses numbers in a platform's configuration that are too large for
// any platform. The platform itself checks its values more closely.
func (v *validator) bounded(value reflect.Value, path []any) {
	for value.Kind() == reflect.Pointer {
		if value.IsNil() {
			return
		}
		value = value.Elem()
	}
	switch value.Kind() {
	case reflect.Struct:
		fields := make(map[string]reflect.Value)
		renderedFields(value, fields)
		for _, name := range slices.Sorted(maps.Keys(fields)) {
			v.bounded(fields[name], at(path, name))
		}
	case reflect.Int64:
		if value.Type() == reflect.TypeFor[model.Duration]() {
			v.atMost(Duration(value.Int()), maxDuration, path...)
		}
	case reflect.Int:
		if n := int(value.Int()); value.Type().PkgPath() == "" {
			v.integer(n, -maxInteger, maxInteger, "number", path...)
		}
	case reflect.Float64:
		if f := value.Float(); math.Abs(f) > maxAmount && !math.IsInf(f, 0) {
			v.Addf(path, "%g is not a number of at most %g", f, float64(maxAmount))
		}
	}
}
