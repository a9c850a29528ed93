package share

import "github.com/alertscaler/alertscaler/scaler/target"

// Codes are the kinds of errors by what an API calls them. A name that ends in
// an asterisk stands for all that begin so.
type Codes map[string]target.Kind

// NewCodes takes the names of each kind. One that is of two kinds is a
// programming error and panics.
func NewCodes(names map[target.Kind][]string) Codes {
	c := make(Codes)
	for kind, of := range names {
		for _, name := range of {
			if other, ok := c[name]; ok {
				panic("share: code " + name + " is of kind " + string(kind) + " and of kind " + string(other))
			}
			c[name] = kind
		}
	}
	return c
}

// Kind is that of the name that a code is, or else of the longest that it begins
// with; known is false where there is none.
func (c Codes) Kind(code string) (kind target.Kind, known bool) {
	kind, known = c[code]
	for end := len(code); end > 0 && !known; end-- {
		kind, known = c[code[:end]+"*"]
	}
	return kind, known
}
