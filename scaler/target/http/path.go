package http

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/alertscaler/alertscaler/scaler/target"
	"github.com/alertscaler/alertscaler/scaler/target/share"
)

// Path says where in JSON a value is: keys and places in lists, counted from
// 0, with dots between, as in spec.replicas and items.0.count. A backslash
// before a dot makes it part of a key. As the last part, # is the length of a
// list. It may begin with "$.", and $ alone is the whole document.
//
// The JSON libraries that know richer paths read broken JSON as if it were
// whole and numbers as floating point; a target must do neither.
type Path string

// parse returns the parts, none for the whole document.
func (p Path) parse() ([]string, error) {
	s := string(p)
	if s == "$" {
		return nil, nil
	}
	s = strings.TrimPrefix(s, "$.")
	var parts []string
	var part strings.Builder
	for i := 0; i < len(s); i++ {
		switch {
		case s[i] == '\\' && i+1 < len(s):
			i++
			part.WriteByte(s[i])
		case s[i] == '.':
			parts = append(parts, part.String())
			part.Reset()
		default:
			part.WriteByte(s[i])
		}
	}
	parts = append(parts, part.String())
	for i, part := range parts {
		if part == "" {
			return nil, fmt.Errorf("%q is not a path: a part is empty; write it as spec.replicas or items.0.count", p)
		}
		if part == "#" && i < len(parts)-1 {
			return nil, fmt.Errorf("%q is not a path: # is the length of a list, and nothing comes after it", p)
		}
	}
	return parts, nil
}

// validate checks a path, which may be nil or empty.
func (p *Path) validate() error {
	if p == nil || *p == "" {
		return nil
	}
	_, err := p.parse()
	return err
}

// errAbsent is a path that leads nowhere.
var errAbsent = errors.New("the answer does not have it")

// number returns the whole number of at least 0 that the path leads to. Null
// and what is not there are errAbsent.
func (p Path) number(doc any) (int, error) {
	parts, err := p.parse()
	if err != nil {
		return 0, err
	}
	for _, part := range parts {
		switch v := doc.(type) {
		case map[string]any:
			doc = v[part]
		case []any:
			if part == "#" {
				return len(v), nil
			}
			i, err := strconv.ParseUint(part, 10, 31)
			if err != nil {
				return 0, fmt.Errorf("%s: %q is no place in a list", p, part)
			}
			doc = nil
			if int(i) < len(v) {
				doc = v[i]
			}
		case nil:
		default:
			return 0, fmt.Errorf("%s: nothing can be below %s", p, share.Describe(doc))
		}
	}
	if doc == nil {
		return 0, fmt.Errorf("%s: %w", p, errAbsent)
	}
	n, err := share.Count(doc)
	if err != nil {
		return 0, fmt.Errorf("%s: %w", p, err)
	}
	return n, nil
}

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
