package scaler

import (
	"cmp"
	"hash"
	"hash/fnv"
	"io"
	"reflect"
	"slices"
	"strconv"

	"github.com/prometheus/alertmanager/pkg/labels"
)

// fingerprint tells one configuration from another, in this run and the next.
// It is made of all that can be written in a configuration, and of nothing
// that is worked out from it.
func fingerprint(configured any) string {
	h := fnv.New64a()
	write(h, reflect.ValueOf(configured))
	return strconv.FormatUint(h.Sum64(), 16)
}

func write(h hash.Hash64, v reflect.Value) {
	if !v.IsValid() {
		_, _ = io.WriteString(h, "none;")
		return
	}
	if m, ok := v.Interface().(*labels.Matcher); ok && m != nil {
		_, _ = io.WriteString(h, m.String()+";")
		return
	}
	switch v.Kind() {
	case reflect.Pointer, reflect.Interface:
		write(h, v.Elem())
	case reflect.Struct:
		_, _ = io.WriteString(h, v.Type().String()+"{")
		for i := range v.NumField() {
			if f := v.Type().Field(i); f.IsExported() {
				_, _ = io.WriteString(h, f.Name+":")
				write(h, v.Field(i))
			}
		}
		_, _ = io.WriteString(h, "}")
	case reflect.Slice, reflect.Array:
		_, _ = io.WriteString(h, "["+strconv.Itoa(v.Len())+":")
		for i := range v.Len() {
			write(h, v.Index(i))
		}
		_, _ = io.WriteString(h, "]")
	case reflect.Map:
		keys := v.MapKeys()
		slices.SortFunc(keys, func(a, b reflect.Value) int { return cmp.Compare(a.String(), b.String()) })
		_, _ = io.WriteString(h, "("+strconv.Itoa(len(keys))+":")
		for _, k := range keys {
			write(h, k)
			write(h, v.MapIndex(k))
		}
		_, _ = io.WriteString(h, ")")
	case reflect.String:
		// As it is, where printing would hide a secret.
		_, _ = io.WriteString(h, strconv.Quote(v.String())+";")
	case reflect.Bool:
		_, _ = io.WriteString(h, strconv.FormatBool(v.Bool())+";")
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		_, _ = io.WriteString(h, strconv.FormatInt(v.Int(), 10)+";")
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64, reflect.Uintptr:
		_, _ = io.WriteString(h, strconv.FormatUint(v.Uint(), 10)+";")
	case reflect.Float32, reflect.Float64:
		_, _ = io.WriteString(h, strconv.FormatFloat(v.Float(), 'g', -1, 64)+";")
	case reflect.Invalid, reflect.Complex64, reflect.Complex128, reflect.Chan, reflect.Func, reflect.UnsafePointer:
		// Nobody writes these.
	}
}
