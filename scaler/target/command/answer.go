package command

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"

	"github.com/alertscaler/alertscaler/scaler/target"
)

// parse reads what the program for current has printed: one whole number,
// which is both requested and ready, or an object with both. What is missing is
// not taken for zero.
func parse(printed []byte) (target.State, error) {
	dec := json.NewDecoder(bytes.NewReader(printed))
	dec.UseNumber()
	var doc any
	err := dec.Decode(&doc)
	if err == nil {
		if _, more := dec.Token(); !errors.Is(more, io.EOF) {
			err = errors.New("something comes after it")
		}
	}
	if err == nil {
		switch v := doc.(type) {
		case json.Number:
			var n int
			if n, err = count(v); err == nil {
				return target.State{Requested: n, Ready: n}, nil
			}
		case map[string]any:
			var st target.State
			if st, err = fields(v); err == nil {
				return st, nil
			}
		default:
			err = errors.New("it is neither")
		}
	}
	return target.State{}, fmt.Errorf(`printed %q, want one whole number or {"requested": 3, "ready": 2}: %w`, excerpt(printed), err)
}

func fields(doc map[string]any) (st target.State, err error) {
	for _, f := range []struct {
		name   string
		to     *int
		needed bool
	}{{"requested", &st.Requested, true}, {"ready", &st.Ready, true}, {"min", &st.Min, false}, {"max", &st.Max, false}} {
		v := doc[f.name]
		if v == nil {
			if f.needed {
				return st, fmt.Errorf("it has no %s", f.name)
			}
			continue
		}
		if *f.to, err = count(v); err != nil {
			return st, fmt.Errorf("%s: %w", f.name, err)
		}
	}
	if st.Max > 0 && st.Min > st.Max {
		return st, fmt.Errorf("min %d is above max %d", st.Min, st.Max)
	}
	return st, nil
}

// count reads a number of replicas. 3.0 is one: there are languages that write
// no other.
func count(v any) (int, error) {
	number, ok := v.(json.Number)
	if !ok {
		return 0, fmt.Errorf("%.40q is not a number", fmt.Sprint(v))
	}
	if n, err := strconv.ParseInt(number.String(), 10, 32); err == nil && n >= 0 {
		return int(n), nil
	}
	if f, err := number.Float64(); err == nil && f >= 0 && f <= math.MaxInt32 && f == math.Trunc(f) {
		return int(f), nil
	}
	return 0, fmt.Errorf("%.40s is not a whole number from 0 to %d", number, math.MaxInt32)
}

// excerpt is the beginning of what a program printed, for an error.
func excerpt(b []byte) string {
	const most = 200
	b = bytes.TrimSpace(b)
	if len(b) > most {
		return strings.ToValidUTF8(string(b[:most]), "�") + " ..."
	}
	return strings.ToValidUTF8(string(b), "�")
}
