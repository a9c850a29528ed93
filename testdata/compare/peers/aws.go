package peers

import (
	"math"
	"time"

	"github.com/alertscaler/alertscaler/scaler/simulate/plant"
)

// What Amazon EC2 Auto Scaling does, as its user guide says it.
const (
	// AWSInterval is that of the metric: detailed monitoring, a minute.
	AWSInterval = time.Minute

	awsHigh     = 3  // datapoints above the target within three minutes: scale out
	awsLow      = 15 // datapoints below within fifteen minutes: scale in
	awsLowShare = 0.9
	awsWarmUp   = 300 * time.Second
)

// AWS is a model of target tracking ("Target tracking scaling policies for
// Amazon EC2 Auto Scaling" and "Set the default instance warmup" in the user
// guide, and the two alarms that it creates): one alarm fires when three
// datapoints in a row are above the target and scales out in proportion, the
// other when fifteen are below nine tenths of it and scales in, since scaling
// in is the more cautious. Instances that warm up, for 300 s by default, are
// not in the metric until then.
type AWS struct {
	Target float64

	high, low int
	warming   []awsLaunch
}

type awsLaunch struct {
	at        time.Duration
	instances int
}

// Desired is one minute's datapoint.
func (a *AWS) Desired(s plant.Signal) int {
	for len(a.warming) > 0 && s.Now-a.warming[0].at >= awsWarmUp {
		a.warming = a.warming[1:]
	}
	warm := s.Requested
	for _, w := range a.warming {
		warm -= w.instances
	}
	metric := s.Usage / float64(max(1, warm))
	a.high = streak(a.high, metric > a.Target)
	a.low = streak(a.low, metric < awsLowShare*a.Target)
	// In proportion, to what puts the metric at the target.
	wanted := int(math.Ceil(s.Usage / a.Target))
	switch {
	case a.high >= awsHigh && wanted > s.Requested:
		wanted = min(wanted, 200)
		a.warming = append(a.warming, awsLaunch{s.Now, wanted - s.Requested})
		return wanted
	case a.low >= awsLow && wanted < s.Requested:
		a.shrink(s.Requested - max(1, wanted))
		return max(1, wanted)
	}
	return s.Requested
}

// shrink forgets instances that are gone, the youngest first.
func (a *AWS) shrink(instances int) {
	for i := len(a.warming) - 1; i >= 0 && instances > 0; i-- {
		gone := min(instances, a.warming[i].instances)
		a.warming[i].instances -= gone
		instances -= gone
	}
}

// streak counts how often something held in a row.
func streak(n int, holds bool) int {
	if !holds {
		return 0
	}
	return n + 1
}
