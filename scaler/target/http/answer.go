package http

import (
	"errors"
	"fmt"

	"github.com/alertscaler/alertscaler/scaler/target"
	"github.com/alertscaler/alertscaler/scaler/target/share"
)

// numbers says where an answer has what is wanted of it; nil is nowhere.
type numbers struct {
	requested, ready, min, max *route
	// lenient are the bounds that may be absent.
	minLenient, maxLenient bool
}

func (c *CurrentConfig) numbers() (n numbers, err error) {
	bound := func(p *Path, usual Path) (*route, bool, error) {
		if p == nil {
			r, err := usual.route()
			return &r, true, err
		}
		if *p == "" {
			return nil, false, nil
		}
		r, err := p.route()
		return &r, false, err
	}
	if n.requested, _, err = bound(&c.Requested, ""); err != nil {
		return numbers{}, err
	}
	if n.ready, _, err = bound(&c.Ready, ""); err != nil {
		return numbers{}, err
	}
	if n.min, n.minLenient, err = bound(c.Min, "min"); err != nil {
		return numbers{}, err
	}
	n.max, n.maxLenient, err = bound(c.Max, "max")
	return n, err
}

// state reads the numbers out of an answer. What is not JSON may be a page
// that a proxy puts up for a while; JSON without the numbers is another
// contract, which no later try will change.
func (n *numbers) state(op string, answer []byte) (target.State, error) {
	doc, err := share.Decode(answer)
	if err != nil {
		return target.State{}, target.Errorf(target.KindTemporary, op, "the answer is not JSON: %w (%q)", err, excerpt(answer))
	}
	st, err := n.read(doc)
	if err != nil {
		return target.State{}, target.Errorf(target.KindPermanent, op, "%w", err)
	}
	return st, nil
}

func (n *numbers) read(doc any) (st target.State, err error) {
	if st.Requested, err = n.requested.whole(doc); err != nil {
		return target.State{}, err
	}
	st.Ready = st.Requested
	if n.ready != nil {
		if st.Ready, err = n.ready.whole(doc); err != nil {
			return target.State{}, err
		}
	}
	if st.Min, err = bound(doc, n.min, n.minLenient); err != nil {
		return target.State{}, err
	}
	if st.Max, err = bound(doc, n.max, n.maxLenient); err != nil {
		return target.State{}, err
	}
	if st.Max > 0 && st.Min > st.Max {
		return target.State{}, fmt.Errorf("min %d is above max %d", st.Min, st.Max)
	}
	return st, nil
}

// bound reads one of the platform's own bounds; 0 is none.
func bound(doc any, at *route, lenient bool) (int, error) {
	if at == nil {
		return 0, nil
	}
	if _, ok := doc.(map[string]any); lenient && !ok {
		return 0, nil // a list or a bare number has no keys
	}
	n, err := at.whole(doc)
	if lenient && errors.Is(err, errAbsent) {
		return 0, nil
	}
	return n, err
}
