package http

import (
	"errors"
	"fmt"

	"github.com/alertscaler/alertscaler/scaler/target"
	"github.com/alertscaler/alertscaler/scaler/target/share"
)

// state reads the numbers out of an answer. What is not JSON may be a page
// that a proxy puts up for a while; JSON without the numbers is another
// contract, which no later try will change.
func (c *CurrentConfig) state(op string, answer []byte) (target.State, error) {
	doc, err := share.Decode(answer)
	if err != nil {
		return target.State{}, target.Errorf(target.KindTemporary, op, "the answer is not JSON: %w (%q)", err, excerpt(answer))
	}
	st, err := c.numbers(doc)
	if err != nil {
		return target.State{}, target.Errorf(target.KindPermanent, op, "%w", err)
	}
	return st, nil
}

func (c *CurrentConfig) numbers(doc any) (st target.State, err error) {
	if st.Requested, err = c.Requested.number(doc); err != nil {
		return st, err
	}
	st.Ready = st.Requested
	if c.Ready != "" {
		if st.Ready, err = c.Ready.number(doc); err != nil {
			return st, err
		}
	}
	if st.Min, err = bound(doc, c.Min, "min"); err != nil {
		return st, err
	}
	if st.Max, err = bound(doc, c.Max, "max"); err != nil {
		return st, err
	}
	if st.Max > 0 && st.Min > st.Max {
		return st, fmt.Errorf("min %d is above max %d", st.Min, st.Max)
	}
	return st, nil
}

// bound reads one of the platform's own bounds, by default where they usually
// are; 0 is none.
func bound(doc any, at *Path, usual Path) (int, error) {
	if at != nil && *at == "" {
		return 0, nil
	}
	if at != nil {
		return at.number(doc)
	}
	if _, ok := doc.(map[string]any); !ok {
		return 0, nil // a list or a bare number has no keys
	}
	n, err := usual.number(doc)
	if errors.Is(err, errAbsent) {
		return 0, nil
	}
	return n, err
}
