package program

import (
	"bytes"
	"fmt"
	"strings"
)

// Output is an io.Writer that keeps the beginning and the end of what is
// written to it, max bytes together, and counts what is between them. It is
// not safe for concurrent use.
type Output struct {
	max  int
	head []byte
	tail []byte // a ring, once it is full
	next int    // where the oldest byte of a full ring is
	// Total is how many bytes were written.
	Total int64
}

// NewOutput returns one that keeps limit bytes.
func NewOutput(limit int) *Output { return &Output{max: limit} }

// Write never fails: a program must not die of its own output.
func (o *Output) Write(p []byte) (int, error) {
	n := len(p)
	o.Total += int64(n)
	if room := o.max/2 - len(o.head); room > 0 {
		k := min(room, len(p))
		o.head = append(o.head, p[:k]...)
		p = p[k:]
	}
	size := o.max - o.max/2
	p = p[max(0, len(p)-size):]
	if room := size - len(o.tail); room > 0 {
		k := min(room, len(p))
		o.tail = append(o.tail, p[:k]...)
		p = p[k:]
	}
	for len(p) > 0 {
		k := copy(o.tail[o.next:], p)
		p = p[k:]
		o.next = (o.next + k) % size
	}
	return n, nil
}

// Dropped is how many bytes of the middle are lost.
func (o *Output) Dropped() int64 { return o.Total - int64(len(o.head)+len(o.tail)) }

// end returns the kept end, in order.
func (o *Output) end() []byte {
	return append(bytes.Clone(o.tail[o.next:]), o.tail[:o.next]...)
}

// String is what was kept, with a line in place of what was not.
func (o *Output) String() string {
	var b strings.Builder
	b.Write(o.head)
	if n := o.Dropped(); n > 0 {
		fmt.Fprintf(&b, "\n[... %d bytes left out ...]\n", n)
	}
	b.Write(o.end())
	return strings.TrimSpace(b.String())
}

// Last is the end of the output, n bytes at most, from the start of a line
// where there is one.
func (o *Output) Last(n int) string {
	s := o.String()
	if len(s) <= n {
		return s
	}
	s = s[len(s)-n:]
	if _, rest, ok := strings.Cut(s, "\n"); ok && rest != "" {
		s = rest
	}
	return strings.ToValidUTF8("... "+s, "�")
}

// Capped is an io.Writer that keeps the first Max bytes and knows whether
// there were more.
type Capped struct {
	Max  int
	Kept bytes.Buffer
	Over bool
}

// Write never fails; see Output.
func (c *Capped) Write(p []byte) (int, error) {
	k := min(len(p), c.Max-c.Kept.Len())
	c.Over = c.Over || k < len(p)
	c.Kept.Write(p[:k])
	return len(p), nil
}
