package peers

import (
	"math"
	"time"

	"github.com/alertscaler/alertscaler/scaler/simulate/plant"
)

// HPA is a model of Kubernetes' HorizontalPodAutoscaler (autoscaling/v2) with
// an External metric of type AverageValue and the default behaviour but for
// two fields of it, scaleDown.stabilizationWindowSeconds and the tolerance of
// both directions (since v1.37 for everybody). It does what k8s.io/kubernetes v1.37.2 does in pkg/controller/podautoscaler:
// GetExternalPerPodMetricReplicas, stabilizeRecommendationWithBehaviors and
// convertDesiredReplicasWithBehaviorRate, with the defaults of
// pkg/apis/autoscaling/v2. TestModelIsTheController holds it to that: the
// unmodified controller requests the same replicas at every control.
type HPA struct {
	// Target is the usage per pod to aim at, in thousandths of a replica.
	Target int64
	// Window is the stabilization window for scaling down, at most an hour.
	Window time.Duration
	// Tolerance is the share by which usage may miss the target.
	Tolerance float64

	began bool
	// recommendations of the window, the highest first: one that a later one
	// reaches says nothing any more.
	recommendations []hpaCount
	added, removed  []hpaCount
}

type hpaCount struct {
	at       time.Duration
	replicas int
}

// The controller's own defaults.
const (
	HPAWindow    = 300 * time.Second
	HPATolerance = 0.1

	hpaPeriod = 15 * time.Second
	hpaPods   = 4
	hpaMin    = 1
	hpaMax    = 200
)

// NewHPA aims at the given utilization, with the default window and tolerance.
func NewHPA(target float64) *HPA {
	return &HPA{Target: int64(math.Round(1000 * target)), Window: HPAWindow, Tolerance: HPATolerance}
}

// Milli is usage as a metrics API reports it, in thousandths.
func Milli(usage float64) int64 { return int64(math.Round(1000 * usage)) }

// Desired is one reconciliation.
func (h *HPA) Desired(s plant.Signal) int {
	if !h.began {
		h.began = true
		h.recommendations = append(h.recommendations, hpaCount{s.Now, s.Requested})
	}
	usage := float64(Milli(s.Usage))
	proposal := s.Requested
	ratio := usage / (float64(h.Target) * float64(s.Requested))
	if !(1-h.Tolerance <= ratio && ratio <= 1+h.Tolerance) {
		proposal = int(math.Ceil(usage / float64(h.Target)))
	}
	desired := h.limit(s, h.stabilize(s, proposal))
	switch {
	case desired > s.Requested:
		h.added = append(within(h.added, s.Now-hpaPeriod), hpaCount{s.Now, desired - s.Requested})
	case desired < s.Requested:
		h.removed = append(within(h.removed, s.Now-hpaPeriod), hpaCount{s.Now, s.Requested - desired})
	}
	return desired
}

// stabilize goes down no further than to the highest proposal of the window;
// upwards there is no window.
func (h *HPA) stabilize(s plant.Signal, proposal int) int {
	h.recommendations = within(h.recommendations, s.Now-h.Window)
	for n := len(h.recommendations); n > 0 && h.recommendations[n-1].replicas <= proposal; n-- {
		h.recommendations = h.recommendations[:n-1]
	}
	highest := proposal
	if len(h.recommendations) > 0 {
		highest = h.recommendations[0].replicas
	}
	h.recommendations = append(h.recommendations, hpaCount{s.Now, proposal})
	return min(max(s.Requested, proposal), highest)
}

// limit adds at most four pods or 100 % of those at the beginning of the
// period, whichever is more; downwards 100 % may go.
func (h *HPA) limit(s plant.Signal, replicas int) int {
	switch {
	case replicas > s.Requested:
		began := s.Requested
		for _, a := range within(h.added, s.Now-hpaPeriod) {
			began -= a.replicas
		}
		for _, r := range within(h.removed, s.Now-hpaPeriod) {
			began += r.replicas
		}
		most := max(s.Requested, began+hpaPods, 2*began)
		return min(replicas, most, hpaMax)
	case replicas < s.Requested:
		return max(replicas, hpaMin)
	}
	return replicas
}

// within drops what is not after the given time.
func within(counts []hpaCount, after time.Duration) []hpaCount {
	for len(counts) > 0 && counts[0].at <= after {
		counts = counts[1:]
	}
	return counts
}
