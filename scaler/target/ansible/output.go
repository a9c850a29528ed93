package ansible

import (
	"bytes"
	"fmt"
	"strings"
)

// output is an io.Writer that keeps the beginning and the end of what is
// written to it, max bytes together, and counts what is between them. It is
// not safe for concurrent use.
type output struct {
	max   int
	head  []byte
	tail  []byte // a ring, once it is full
	next  int    // where the oldest byte of a full ring is
	total int64
}

func newOutput(limit int) *output { return &output{max: limit} }

// Write never fails: a program must not die of its own output.
func (o *output) Write(p []byte) (int, error) {
	n := len(p)
	o.total += int64(n)
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

// dropped is how many bytes of the middle are lost.
func (o *output) dropped() int64 { return o.total - int64(len(o.head)+len(o.tail)) }

// end returns the kept end, in order.
func (o *output) end() []byte {
	return append(bytes.Clone(o.tail[o.next:]), o.tail[:o.next]...)
}

// String is what was kept, with a line in place of what was not.
func (o *output) String() string {
	var b strings.Builder
	b.Write(o.head)
	if n := o.dropped(); n > 0 {
		fmt.Fprintf(&b, "\n[... %d bytes left out ...]\n", n)
	}
	b.Write(o.end())
	return strings.TrimSpace(b.String())
}

// last is the end of the output, n bytes at most, from the start of a line
// where there is one.
func (o *output) last(n int) string {
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

// capped is an io.Writer that keeps the first max bytes and knows whether
// there were more.
type capped struct {
	max  int
	kept bytes.Buffer
	over bool
}

// Write never fails; see output.
func (c *capped) Write(p []byte) (int, error) {
	k := min(len(p), c.max-c.kept.Len())
	c.over = c.over || k < len(p)
	c.kept.Write(p[:k])
	return len(p), nil
}
