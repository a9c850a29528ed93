package share

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"strconv"
)

// Decode reads one JSON value, after which nothing may come. Numbers are
// json.Number, so that none is changed on the way.
func Decode(b []byte) (doc any, err error) {
	dec := json.NewDecoder(bytes.NewReader(b))
	dec.UseNumber()
	if err := dec.Decode(&doc); err != nil {
		return nil, err
	}
	if _, more := dec.Token(); !errors.Is(more, io.EOF) {
		return nil, errors.New("something comes after it")
	}
	return doc, nil
}

// Count reads a number of replicas out of what Decode returned. 3.0 is one:
// there are languages that write no other.
func Count(v any) (int, error) {
	if number, ok := v.(json.Number); ok {
		if n, err := strconv.ParseInt(number.String(), 10, 32); err == nil && n >= 0 {
			return int(n), nil
		}
		if f, err := number.Float64(); err == nil && f >= 0 && f <= math.MaxInt32 && f == math.Trunc(f) {
			return int(f), nil
		}
	}
	return 0, fmt.Errorf("%s is not a whole number from 0 to %d", Describe(v), math.MaxInt32)
}

// Describe is a value as an error names it.
func Describe(v any) string {
	switch v := v.(type) {
	case map[string]any:
		return "an object"
	case []any:
		return "a list"
	case json.Number:
		return fmt.Sprintf("%.40s", v)
	default:
		return fmt.Sprintf("%.40q", fmt.Sprint(v))
	}
}
