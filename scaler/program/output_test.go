package program

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
)

// TestOutput writes texts of all sizes in pieces of all sizes.
func TestOutput(t *testing.T) {
	t.Parallel()
	for range 500 {
		limit, size := 2+rand.IntN(50), rand.IntN(200)
		var text strings.Builder
		for i := range size {
			text.WriteByte(byte('a' + i%26))
		}
		o, rest := NewOutput(limit), text.String()
		for rest != "" {
			k := min(len(rest), 1+rand.IntN(70))
			if n, err := o.Write([]byte(rest[:k])); n != k || err != nil {
				t.Fatalf("Write = %d, %v", n, err)
			}
			rest = rest[k:]
		}
		want := text.String()
		if size > limit {
			head, tail := limit/2, limit-limit/2
			want = fmt.Sprintf("%s\n[... %d bytes left out ...]\n%s", want[:head], size-limit, want[size-tail:])
		}
		if got := o.String(); got != strings.TrimSpace(want) || o.Total != int64(size) {
			t.Fatalf("%d bytes in %d: %d, %q, want %q", size, limit, o.Total, got, want)
		}
	}
}

func TestOutputLast(t *testing.T) {
	t.Parallel()
	o := NewOutput(1000)
	_, _ = o.Write([]byte("first line\nsecond line\nthird line\n"))
	for n, want := range map[int]string{
		100: "first line\nsecond line\nthird line",
		15:  "... third line",
		4:   "... line",
	} {
		if got := o.Last(n); got != want {
			t.Errorf("Last(%d) = %q, want %q", n, got, want)
		}
	}
	if got := NewOutput(10).Last(5); got != "" {
		t.Errorf("Last of nothing = %q", got)
	}
}

func TestCapped(t *testing.T) {
	t.Parallel()
	c := &Capped{Max: 5}
	for _, s := range []string{"abc", "de", ""} {
		_, _ = c.Write([]byte(s))
	}
	if c.Over || c.Kept.String() != "abcde" {
		t.Errorf("%q, over %v", c.Kept.String(), c.Over)
	}
	if n, err := c.Write([]byte("fgh")); n != 3 || err != nil || !c.Over || c.Kept.String() != "abcde" {
		t.Errorf("%d, %v: %q, over %v", n, err, c.Kept.String(), c.Over)
	}
}
