package usage

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"strconv"
	"unicode/utf8"

	"github.com/go-faster/jx"
	"github.com/prometheus/common/model"
)

// reply is one answer of Prometheus' query API.
type reply struct {
	// value is the result; nil where the answer is an error.
	value    model.Value
	warnings []string
	// errorType and errorText are Prometheus' own words.
	errorType, errorText string
}

// decode reads an answer strictly. A count is decided by it, and so a number
// must be told from what is none, which the decoder of client_golang does not
// do: it takes a sample without a value for 0, an answer without data for a nil
// value, and does not look at what follows the answer. Here a sample is exactly
// a time and a number in quotes, and an error says what stands in its place.
//
// It reads field by field, because a field that is there twice must be seen,
// which encoding/json keeps to itself; and so it needs the decoder that the
// webhook has for its speed.
func decode(body []byte) (reply, error) {
	switch start := bytes.TrimSpace(body); {
	case len(start) == 0:
		return reply{}, errors.New("the answer is empty; Prometheus answers with a JSON object")
	case !utf8.Valid(start):
		return reply{}, errors.New("the answer is not UTF-8, and so not the JSON object that Prometheus answers with")
	case start[0] != '{':
		return reply{}, fmt.Errorf("the answer begins with %s; Prometheus answers with a JSON object", shorten(strconv.Quote(string(start)), 40))
	}
	r, err := decodeReply(body)
	if err != nil {
		// encoding/json finds better words for what is not JSON.
		if syntax, ok := errors.AsType[*json.SyntaxError](json.Unmarshal(body, new(json.RawMessage))); ok {
			return reply{}, fmt.Errorf("the answer is not valid JSON: %w at byte %d", syntax, syntax.Offset)
		}
		return reply{}, err
	}
	return r, nil
}

func decodeReply(body []byte) (reply, error) {
	var (
		r      reply
		status string
		data   jx.Raw
	)
	d := jx.DecodeBytes(body)
	err := object(d, []string{"status", "errorType", "error", "warnings", "data"}, func(name string) (err error) {
		switch name {
		case "status":
			status, err = text(d)
		case "errorType":
			r.errorType, err = text(d)
		case "error":
			r.errorText, err = text(d)
		case "warnings":
			r.warnings, err = texts(d)
		case "data":
			data, err = d.Raw()
		}
		return err
	})
	switch {
	case err != nil:
		return reply{}, fmt.Errorf("the answer: %w", err)
	case d.Next() != jx.Invalid || !errors.Is(d.Skip(), io.EOF):
		return reply{}, errors.New("something follows the answer")
	case status == "error":
		return r, nil
	case status != "success":
		return reply{}, fmt.Errorf(`the answer has the status %s; Prometheus says "success" or "error"`, shorten(strconv.Quote(status), 40))
	case data == nil:
		return reply{}, errors.New("the answer has no data")
	}
	if r.value, err = decodeData(jx.DecodeBytes(data)); err != nil {
		return reply{}, err
	}
	return r, nil
}

// decodeData reads what Prometheus calls data: a result, and of what type it is.
func decodeData(d *jx.Decoder) (model.Value, error) {
	var (
		kind   string
		result jx.Raw
	)
	err := object(d, []string{"resultType", "result"}, func(name string) (err error) {
		switch name {
		case "resultType":
			kind, err = text(d)
		case "result":
			result, err = d.Raw()
		}
		return err
	})
	switch {
	case err != nil:
		return nil, fmt.Errorf("the data of the answer: %w", err)
	case kind == "":
		return nil, errors.New("the answer has no resultType")
	case result == nil:
		return nil, errors.New("the answer has no result")
	}
	d = jx.DecodeBytes(result)
	var value model.Value
	switch kind {
	case model.ValScalar.String():
		var p model.SamplePair
		p, err = pair(d)
		value = &model.Scalar{Timestamp: p.Timestamp, Value: p.Value}
	case model.ValVector.String():
		value, err = vector(d)
	case model.ValMatrix.String():
		value, err = matrix(d)
	default:
		return nil, fmt.Errorf("unexpected value type %s, where a vector, a scalar or a matrix is expected", shorten(strconv.Quote(kind), 40))
	}
	if err != nil {
		return nil, fmt.Errorf("the result: %w", err)
	}
	return value, nil
}

func vector(d *jx.Decoder) (model.Vector, error) {
	all := model.Vector{}
	return all, array(d, func() error {
		s := &model.Sample{}
		valued := false
		err := object(d, []string{"metric", "value", "histogram"}, func(name string) (err error) {
			switch name {
			case "metric":
				s.Metric, err = metric(d)
			case "value":
				var p model.SamplePair
				p, err = pair(d)
				s.Timestamp, s.Value, valued = p.Timestamp, p.Value, true
			case "histogram":
				s.Histogram, err = &model.SampleHistogram{}, some(d)
			}
			return err
		})
		switch {
		case err != nil:
			return err
		case s.Metric == nil:
			return errNoMetric
		case valued == (s.Histogram != nil):
			return errors.New(`it has no value; a sample is written as "value":[<seconds>,"<number>"]`)
		}
		all = append(all, s)
		return nil
	})
}

func matrix(d *jx.Decoder) (model.Matrix, error) {
	all := model.Matrix{}
	return all, array(d, func() error {
		s := &model.SampleStream{}
		sampled := false
		err := object(d, []string{"metric", "values", "histograms"}, func(name string) (err error) {
			switch name {
			case "metric":
				s.Metric, err = metric(d)
			case "values":
				sampled = true
				err = array(d, func() error {
					p, err := pair(d)
					s.Values = append(s.Values, p)
					return err
				})
			case "histograms":
				sampled = true
				err = some(d)
			}
			return err
		})
		switch {
		case err != nil:
			return err
		case s.Metric == nil:
			return errNoMetric
		case !sampled:
			return errors.New(`it has no values; samples are written as "values":[[<seconds>,"<number>"],…]`)
		}
		all = append(all, s)
		return nil
	})
}

var errNoMetric = errors.New(`it has no metric, which is an object of labels`)

func metric(d *jx.Decoder) (model.Metric, error) {
	m := model.Metric{}
	return m, everything(d, func(key string) error {
		value, err := text(d)
		if _, twice := m[model.LabelName(key)]; twice {
			return errors.New("it is there twice")
		}
		m[model.LabelName(key)] = model.LabelValue(value)
		return err
	})
}

// pair is a sample: when it was taken, in seconds, and a number in quotes.
func pair(d *jx.Decoder) (model.SamplePair, error) {
	var (
		p model.SamplePair
		n int
	)
	err := array(d, func() (err error) {
		switch n++; n {
		case 1:
			p.Timestamp, err = instant(d)
		case 2:
			p.Value, err = number(d)
		default:
			err = errors.New("a sample has two elements")
		}
		return err
	})
	if err == nil && n != 2 {
		err = fmt.Errorf("it has %d elements where a sample has two, [<seconds>,\"<number>\"]", n)
	}
	if err != nil {
		return p, fmt.Errorf("sample: %w", err)
	}
	return p, nil
}

func instant(d *jx.Decoder) (model.Time, error) {
	if t := d.Next(); t != jx.Number {
		return 0, kindError(t, "a time in seconds such as 1767600000.123")
	}
	seconds, err := d.Float64()
	if err != nil {
		return 0, err
	}
	if math.Abs(seconds) > maxSeconds {
		return 0, fmt.Errorf("%g is no time in seconds", seconds)
	}
	return model.Time(math.Round(seconds * 1000)), nil
}

// maxSeconds is the end of the year 9999.
const maxSeconds = 253402300799

// number is a value as Prometheus writes it. What only Go would read, such as
// hexadecimal digits, is none.
func number(d *jx.Decoder) (model.SampleValue, error) {
	if t := d.Next(); t != jx.String {
		return 0, kindError(t, `a number in quotes such as "0.25"`)
	}
	s, err := d.StrBytes()
	if err != nil {
		return 0, err
	}
	v, err := strconv.ParseFloat(string(s), 64)
	if err != nil || bytes.ContainsAny(s, "xX_") {
		return 0, fmt.Errorf("%s is not a number", shorten(strconv.Quote(string(s)), 40))
	}
	return model.SampleValue(v), nil
}

func text(d *jx.Decoder) (string, error) {
	if t := d.Next(); t != jx.String {
		return "", kindError(t, "a string")
	}
	return d.Str()
}

func texts(d *jx.Decoder) (all []string, err error) {
	if d.Next() == jx.Null {
		return nil, d.Null()
	}
	return all, array(d, func() error {
		s, err := text(d)
		all = append(all, s)
		return err
	})
}

// some skips a value that is not null.
func some(d *jx.Decoder) error {
	if d.Next() == jx.Null {
		return kindError(jx.Null, "a histogram")
	}
	return d.Skip()
}

// object decodes an object of which the named fields are wanted, each at most
// once.
func object(d *jx.Decoder, names []string, field func(name string) error) error {
	var seen uint
	return everything(d, func(key string) error {
		for i, name := range names {
			if key == name {
				if seen&(1<<i) != 0 {
					return errors.New("it is there twice")
				}
				seen |= 1 << i
				return field(name)
			}
		}
		return d.Skip()
	})
}

// everything decodes an object, field by field.
func everything(d *jx.Decoder, field func(key string) error) error {
	if t := d.Next(); t != jx.Object {
		return kindError(t, "an object")
	}
	fields, err := d.ObjIter()
	if err != nil {
		return err
	}
	for fields.Next() {
		key := string(fields.Key())
		if err := field(key); err != nil {
			return fmt.Errorf("%s: %w", shorten(key, 40), err)
		}
	}
	return fields.Err()
}

// array decodes an array, element by element.
func array(d *jx.Decoder, element func() error) error {
	if t := d.Next(); t != jx.Array {
		return kindError(t, "an array")
	}
	elements, err := d.ArrIter()
	if err != nil {
		return err
	}
	for i := 1; elements.Next(); i++ {
		if err := element(); err != nil {
			return fmt.Errorf("element %d: %w", i, err)
		}
	}
	return elements.Err()
}

func kindError(got jx.Type, want string) error {
	return fmt.Errorf("%s where %s is expected", got, want)
}
