package peers

import (
	"math"
	"time"

	"github.com/alertscaler/alertscaler/scaler/simulate/plant"
)

const (
	linearWindow = 10 * time.Minute
	linearHold   = 300 * time.Second
)

// Linear is a fixed utilization target with the two usual remedies: what is
// predicted one provisioning time ahead counts where it is more (least squares
// over ten minutes, as PromQL's predict_linear in the shipped rule
// scale_target_resource:usage:predicted), and the highest answer of the last
// 300 s holds, as in the HPA.
type Linear struct {
	Target float64
	Ahead  time.Duration

	samples []linearSample
	answers []hpaCount
}

type linearSample struct {
	at    time.Duration
	usage float64
}

// Desired is one evaluation.
func (l *Linear) Desired(s plant.Signal) int {
	for len(l.samples) > 0 && l.samples[0].at < s.Now-linearWindow {
		l.samples = l.samples[1:]
	}
	l.samples = append(l.samples, linearSample{s.Now, s.Usage})
	usage := max(s.Usage, l.predict(s.Now+l.Ahead))

	l.answers = append(within(l.answers, s.Now-linearHold), hpaCount{s.Now, int(math.Ceil(usage / l.Target))})
	highest := 1
	for _, a := range l.answers {
		highest = max(highest, a.replicas)
	}
	return highest
}

// predict extends the least-squares line of the samples.
func (l *Linear) predict(at time.Duration) float64 {
	var n, x, y, xx, xy float64
	for _, s := range l.samples {
		dx := (s.at - at).Seconds()
		n++
		x += dx
		y += s.usage
		xx += dx * dx
		xy += dx * s.usage
	}
	if n < 2 {
		return 0
	}
	slope := (n*xy - x*y) / (n*xx - x*x)
	return (y - slope*x) / n
}
