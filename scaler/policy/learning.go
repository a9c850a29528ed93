package policy

import (
	"time"

	"github.com/alertscaler/alertscaler/scaler/policy/objective"
)

// Learnt remembers a sample that was learnt from, until the learner's own state
// contains it. It returns how many of the resource are remembered by now.
func (h *History) Learnt(resource string, s objective.Sample) int {
	if h.Learning == nil {
		h.Learning = make(map[string][]objective.Sample)
	}
	h.Learning[resource] = append(h.Learning[resource], s)
	return len(h.Learning[resource])
}

// Unlearn forgets the samples of a resource.
func (h *History) Unlearn(resource string) { delete(h.Learning, resource) }

// MadeUp forgets when someone else last took replicas away: there have been
// enough of them since.
func (h *History) MadeUp() { h.TakenAway = time.Time{} }
