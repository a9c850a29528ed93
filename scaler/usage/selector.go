package usage

import (
	"strconv"
	"strings"
)

// selector is PromQL that selects series and does nothing else.
type selector struct {
	name string
	// equal holds the matchers name="value"; others counts all the rest.
	equal  map[string]string
	others int
}

// only reports whether these labels are matched for equality, and no more is.
func (s selector) only(labels ...string) bool {
	if s.others > 0 || len(s.equal) != len(labels) {
		return false
	}
	for _, l := range labels {
		if _, ok := s.equal[l]; !ok {
			return false
		}
	}
	return true
}

// parseSelector reads name{label="value",...}. What it does not understand is
// not a plain selector, and nothing worse follows from that than a sample
// whose age nobody tells; so it need not know all of PromQL.
func parseSelector(expr string) (selector, bool) {
	s := selector{equal: map[string]string{}}
	p := scanner{rest: expr}
	s.name = p.word(true)
	// Prometheus reads these two as numbers.
	if s.name == "" || strings.EqualFold(s.name, "inf") || strings.EqualFold(s.name, "nan") {
		return s, false
	}
	if !p.take("{") {
		return s, p.end()
	}
	for !p.take("}") {
		label, op := p.word(false), ""
		for _, o := range []string{"=~", "!~", "!=", "="} {
			if p.take(o) {
				op = o
				break
			}
		}
		value, ok := p.quoted()
		if label == "" || op == "" || !ok {
			return s, false
		}
		if _, twice := s.equal[label]; op == "=" && !twice {
			s.equal[label] = value
		} else {
			s.others++
		}
		if !p.take(",") && !strings.HasPrefix(p.rest, "}") {
			return s, false
		}
	}
	return s, p.end()
}

// scanner takes tokens from the front of rest, and the blanks before them.
type scanner struct{ rest string }

func (p *scanner) blanks() { p.rest = strings.TrimLeft(p.rest, " \t\r\n") }

func (p *scanner) end() bool {
	p.blanks()
	return p.rest == ""
}

func (p *scanner) take(token string) (ok bool) {
	p.blanks()
	p.rest, ok = strings.CutPrefix(p.rest, token)
	if ok {
		p.blanks()
	}
	return ok
}

// word takes a label name, or a metric name, which may hold colons.
func (p *scanner) word(colons bool) string {
	p.blanks()
	n := 0
	for n < len(p.rest) {
		switch c := p.rest[n]; {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c == '_':
		case c >= '0' && c <= '9' && n > 0:
		case c == ':' && colons:
		default:
			w := p.rest[:n]
			p.rest = p.rest[n:]
			return w
		}
		n++
	}
	w := p.rest
	p.rest = ""
	return w
}

// quoted takes a string in any of PromQL's three quotes. Escapes within single
// quotes are left to Prometheus, and so is a carriage return within backquotes,
// which Go leaves out.
func (p *scanner) quoted() (string, bool) {
	p.blanks()
	if p.rest == "" {
		return "", false
	}
	if p.rest[0] == '\'' {
		end := strings.IndexByte(p.rest[1:], '\'')
		if end < 0 || strings.IndexByte(p.rest[1:1+end], '\\') >= 0 {
			return "", false
		}
		value := p.rest[1 : 1+end]
		p.rest = p.rest[end+2:]
		return value, true
	}
	prefix, err := strconv.QuotedPrefix(p.rest)
	if err != nil || prefix[0] == '`' && strings.Contains(prefix, "\r") {
		return "", false
	}
	value, err := strconv.Unquote(prefix)
	p.rest = p.rest[len(prefix):]
	return value, err == nil
}
