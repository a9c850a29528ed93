package config

import (
	"cmp"
	"hash/fnv"
	"math"
	"reflect"
	"slices"
	"strconv"
	"sync"

	"github.com/prometheus/alertmanager/pkg/labels"
)

// Fingerprint tells one configuration of a policy from another, in this run and
// the next. It is made of all that can be written in it, secrets included, and
// of nothing that is worked out from it. EvaluationInterval is left out: no target
// refuses anything because of it, and the global one would change every policy.
func (p *Policy) Fingerprint() string {
	but := *p
	but.EvaluationInterval = nil
	b := appendValue(make([]byte, 0, 4096), reflect.ValueOf(&but))
	h := fnv.New64a()
	_, _ = h.Write(b)
	return strconv.FormatUint(h.Sum64(), 16)
}

var matcherType = reflect.TypeFor[*labels.Matcher]()

// exported caches the fields of a type that can be written.
var exported sync.Map // of reflect.Type to []int

func exportedFields(t reflect.Type) []int {
	if known, ok := exported.Load(t); ok {
		return known.([]int)
	}
	var fields []int
	for i := range t.NumField() {
		if t.Field(i).IsExported() {
			fields = append(fields, i)
		}
	}
	exported.Store(t, fields)
	return fields
}

// appendValue appends what a value is, each kind with a letter before it and,
// where it has parts, their number.
func appendValue(b []byte, v reflect.Value) []byte {
	number := func(kind byte, n uint64) []byte {
		return append(strconv.AppendUint(append(b, kind), n, 36), ';')
	}
	switch v.Kind() {
	case reflect.Pointer, reflect.Interface:
		if v.IsNil() {
			return append(b, '-')
		}
		if v.Type() == matcherType {
			return strconv.AppendQuote(b, v.Interface().(*labels.Matcher).String())
		}
		b = append(b, '*')
		if v.Kind() == reflect.Interface {
			b = append(b, v.Elem().Type().String()...)
		}
		return appendValue(b, v.Elem())
	case reflect.Struct:
		for _, i := range exportedFields(v.Type()) {
			b = append(appendValue(b, v.Field(i)), ',')
		}
		return b
	case reflect.Slice, reflect.Array:
		b = number('[', uint64(v.Len()))
		for i := range v.Len() {
			b = append(appendValue(b, v.Index(i)), ',')
		}
		return b
	case reflect.Map:
		b = number('{', uint64(v.Len()))
		keys := v.MapKeys()
		slices.SortFunc(keys, func(x, y reflect.Value) int { return cmp.Compare(x.String(), y.String()) })
		for _, k := range keys {
			b = append(appendValue(b, k), ':')
			b = append(appendValue(b, v.MapIndex(k)), ',')
		}
		return b
	case reflect.String:
		// As it is, where printing would hide a secret.
		return append(number('"', uint64(v.Len())), v.String()...)
	case reflect.Bool:
		return strconv.AppendBool(b, v.Bool())
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		return number('i', uint64(v.Int()))
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64, reflect.Uintptr:
		return number('u', v.Uint())
	case reflect.Float32, reflect.Float64:
		return number('f', math.Float64bits(v.Float()))
	case reflect.Invalid, reflect.Complex64, reflect.Complex128, reflect.Chan, reflect.Func, reflect.UnsafePointer:
		// Nobody writes these.
	}
	return b
}
