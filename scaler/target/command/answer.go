package command

import (
	"encoding/json"
	"errors"
	"fmt"

	"github.com/alertscaler/alertscaler/scaler/program"
	"github.com/alertscaler/alertscaler/scaler/target"
	"github.com/alertscaler/alertscaler/scaler/target/share"
)

// parse reads what the program for current has printed: one whole number,
// which is both requested and ready, or an object with both. What is missing is
// not taken for zero.
func parse(printed []byte) (st target.State, err error) {
	doc, err := share.Decode(printed)
	if err == nil {
		switch v := doc.(type) {
		case json.Number:
			st.Requested, err = share.Count(v)
			st.Ready = st.Requested
		case map[string]any:
			st, err = fields(v)
		default:
			err = errors.New("it is neither")
		}
	}
	if err != nil {
		return target.State{}, fmt.Errorf(`printed %q, want one whole number or {"requested": 3, "ready": 2}: %w`, program.Excerpt(printed), err)
	}
	return st, nil
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
		if *f.to, err = share.Count(v); err != nil {
			return st, fmt.Errorf("%s: %w", f.name, err)
		}
	}
	if st.Max > 0 && st.Min > st.Max {
		return st, fmt.Errorf("min %d is above max %d", st.Min, st.Max)
	}
	return st, nil
}
