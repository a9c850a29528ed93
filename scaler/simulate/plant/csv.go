package plant

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"
	"time"
)

// ReadCSV reads rows of timestamp_seconds,value. A first line that is no row of
// numbers is a heading; empty lines and lines that begin with # are skipped.
// Timestamps must rise by the same step from row to row, which becomes the
// trace's interval; errors name the line.
func ReadCSV(r io.Reader) (Trace, error) {
	var (
		t    Trace
		last float64
		step float64
	)
	lines := bufio.NewScanner(r)
	for line, heading := 1, true; lines.Scan(); line++ {
		text := strings.TrimSpace(strings.TrimPrefix(lines.Text(), "\ufeff"))
		if text == "" || text[0] == '#' {
			continue
		}
		at, value, err := row(text)
		if err != nil {
			if heading && !startsWithNumber(text) {
				heading = false
				continue
			}
			return Trace{}, fmt.Errorf("line %d: %w", line, err)
		}
		heading = false
		switch n := len(t.Values); {
		case n == 0:
			t.First = at
		case at <= last:
			return Trace{}, fmt.Errorf("line %d: timestamp %v does not come after %v", line, at, last)
		case n == 1:
			step = at - t.First
		case !sameStep(at-last, step):
			return Trace{}, fmt.Errorf("line %d: timestamp %v is %v s after the last one, the rows before it are %v s apart", line, at, at-last, step)
		}
		last = at
		t.Values = append(t.Values, value)
	}
	if err := lines.Err(); err != nil {
		return Trace{}, fmt.Errorf("reading the rows: %w", err)
	}
	if len(t.Values) < 2 {
		return Trace{}, fmt.Errorf("%d rows, at least 2 are needed", len(t.Values))
	}
	// Nanoseconds of some centuries are all that a duration holds.
	if step*float64(time.Second) > math.MaxInt64/float64(len(t.Values)) {
		return Trace{}, fmt.Errorf("rows are %v s apart, that is too long", step)
	}
	t.Interval = time.Duration(math.Round(step * float64(time.Second)))
	return t, t.Validate()
}

// sameStep allows for what decimal timestamps lose in binary.
func sameStep(a, b float64) bool { return math.Abs(a-b) <= 1e-6*b }

func startsWithNumber(text string) bool {
	head, _, _ := strings.Cut(text, ",")
	_, err := strconv.ParseFloat(strings.TrimSpace(head), 64)
	return err == nil
}

func row(text string) (at, value float64, err error) {
	head, tail, found := strings.Cut(text, ",")
	if !found || strings.Contains(tail, ",") {
		return 0, 0, fmt.Errorf("%q is not timestamp_seconds,value", text)
	}
	if at, err = number("timestamp", head); err != nil {
		return 0, 0, err
	}
	if value, err = number("value", tail); err != nil {
		return 0, 0, err
	}
	if value < 0 {
		return 0, 0, fmt.Errorf("value %v is negative", value)
	}
	return at, value, nil
}

func number(what, text string) (float64, error) {
	text = strings.TrimSpace(text)
	v, err := strconv.ParseFloat(text, 64)
	if errors.Is(err, strconv.ErrRange) || (err == nil && (math.IsNaN(v) || math.IsInf(v, 0))) {
		return 0, fmt.Errorf("%s %s is not finite", what, text)
	}
	if err != nil {
		return 0, fmt.Errorf("%s %q is not a number", what, text)
	}
	return v, nil
}
