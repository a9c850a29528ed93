package process

import (
	"bytes"
	"io"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/go-kit/log"
	"pgregory.net/rapid"
)

func TestBackoff(t *testing.T) {
	var b backoff
	var last time.Duration
	for i := range 20 {
		want := min(backoffMin<<i, backoffMax)
		if i > 10 {
			want = backoffMax
		}
		last = b.next(0)
		if last > want || last < want*4/5 {
			t.Errorf("delay %d = %v, want %v or up to a fifth less", i, last, want)
		}
	}
	if got := b.next(stableAfter); got > backoffMin {
		t.Errorf("after a stable run: %v, want at most %v", got, backoffMin)
	}
	if got := b.next(0); got <= backoffMin {
		t.Errorf("and then: %v, want more than %v", got, backoffMin)
	}
}

func TestLineLogger(t *testing.T) {
	long := strings.Repeat("x", maxLine)
	for _, test := range []struct {
		name   string
		writes []string
		want   []string
	}{
		{"nothing", nil, nil},
		{"a line", []string{"one\n"}, []string{`line=one`}},
		{"lines in one write", []string{"one\ntwo\n"}, []string{`line=one`, `line=two`}},
		{"a line in pieces", []string{"o", "n", "e\nt", "wo"}, []string{`line=one`, `line=two`}},
		{"blank lines and carriage returns", []string{"\n\r\none\r\n"}, []string{`line=one`}},
		{"as long as may be", []string{long + "\n"}, []string{`line=` + long}},
		{"too long", []string{long + "y", "yy\nnext\n"}, []string{`line=` + long + ` truncated=true`, `line=next`}},
	} {
		t.Run(test.name, func(t *testing.T) {
			var out bytes.Buffer
			l := &lineLogger{logger: log.NewLogfmtLogger(&out)}
			for _, w := range test.writes {
				if n, err := io.WriteString(l, w); n != len(w) || err != nil {
					t.Fatalf("Write = %d, %v, want %d, nil", n, err, len(w))
				}
			}
			l.flush()
			want := ""
			for _, w := range test.want {
				want += `msg="replica output" ` + w + "\n"
			}
			if out.String() != want {
				t.Errorf("logged %q, want %q", out.String(), want)
			}
		})
	}
}

// TestCounterOnlyGrows holds whatever comes and goes, and loses nothing that
// was seen.
func TestCounterOnlyGrows(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var c counter
		var last float64
		for range rapid.IntRange(1, 50).Draw(t, "readings") {
			sum := float64(rapid.IntRange(0, 1000).Draw(t, "sum"))
			if rapid.Bool().Draw(t, "restart") {
				c.restart(sum)
				continue
			}
			got := c.observe(sum)
			if got < last {
				t.Fatalf("counter went from %v to %v", last, got)
			}
			last = got
		}
	})
}

func TestCounter(t *testing.T) {
	var c counter
	for _, step := range []struct{ sum, want float64 }{
		{10, 10}, {12, 12}, {5, 12}, {6, 13},
	} {
		if got := c.observe(step.sum); got != step.want {
			t.Errorf("observe(%v) = %v, want %v", step.sum, got, step.want)
		}
	}
	c.restart(8) // two more than were last seen
	if got := c.observe(1); got != 16 {
		t.Errorf("after the restart: %v, want 16", got)
	}
}

func cp(t *testing.T, from, to string) {
	t.Helper()
	b, err := os.ReadFile(from)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(to, b, 0o755); err != nil {
		t.Fatal(err)
	}
}

func rm(t *testing.T, path string) {
	t.Helper()
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
}
