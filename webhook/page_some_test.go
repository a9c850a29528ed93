package webhook

import (
	"strconv"
	"strings"
	"testing"

	"github.com/alertscaler/alertscaler/scaler/status"
)

// some is a fake that says what it was asked for.
type some struct {
	*fake
	asked []int
}

func (s *some) Statuses() []status.Policy {
	s.asked = append(s.asked, len(s.statuses))
	return s.statuses
}

func (s *some) FirstStatuses(n int) ([]status.Policy, int) {
	s.asked = append(s.asked, n)
	return s.statuses[:min(n, len(s.statuses))], len(s.statuses)
}

// TestPageAsksForWhatItShows: of ten thousand policies it does not have all
// worked out.
func TestPageAsksForWhatItShows(t *testing.T) {
	f := &some{fake: world()}
	f.statuses = make([]status.Policy, 10*maxShown)
	for i := range f.statuses {
		f.statuses[i].Name = "p" + strconv.Itoa(i)
	}
	h, _ := serve(t, f.fake, func(o *Options) { o.Policies = f })
	w := send(h, "GET", "/", "")
	if w.Code != 200 || !strings.Contains(w.Body.String(), "500 of 5000") {
		t.Errorf("%d, %.200s", w.Code, w.Body)
	}
	if len(f.asked) != 1 || f.asked[0] != maxShown {
		t.Errorf("asked for %v policies, want %d", f.asked, maxShown)
	}
}
