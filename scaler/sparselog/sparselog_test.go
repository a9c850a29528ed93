package sparselog

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/go-kit/log"
	"golang.org/x/time/rate"
)

// TestSuppressedLinesAreCounted in the next line that is logged.
func TestSuppressedLinesAreCounted(t *testing.T) {
	var out bytes.Buffer
	to, l := log.NewLogfmtLogger(&out), New()
	l.limiter = rate.NewLimiter(rate.Every(time.Hour), burst)
	for range 1000 {
		l.Log(to, "msg", "refused")
	}
	if n := strings.Count(out.String(), "msg=refused\n"); n != burst {
		t.Fatalf("%d lines of 1000, want %d:\n%s", n, burst, out.String())
	}
	l.limiter = rate.NewLimiter(rate.Inf, burst)
	l.Log(to, "msg", "refused")
	l.Log(to, "msg", "refused")
	if got := out.String(); !strings.HasSuffix(got, "msg=refused suppressed=990\nmsg=refused\n") {
		t.Errorf("ends with %q", got[len(got)-80:])
	}
}
