package alertscaler

import (
	"context"
	"fmt"

	"github.com/alertscaler/alertscaler/scaler/config"
	"github.com/alertscaler/alertscaler/scaler/simulate"
	"github.com/alertscaler/alertscaler/scaler/simulate/plant"
	registry "github.com/alertscaler/alertscaler/scaler/target"
	"github.com/alertscaler/alertscaler/scaler/target/process"
)

// objectivePolicy is the whole configuration: everything else is as it is
// defaulted.
const objectivePolicy = `
prometheus: { url: 'http://localhost:9090' }
policies:
- name: compared
  min: 1
  max: 200
  resources: [{ name: usage, usage: usage, capacity_per_replica: 1 }]
  reservation: { objective: %s }
  targets: [{ name: plant, process: { command: [sleep, inf] } }]
`

// NewObjective is the server's own engine with a policy that states an
// objective, as it stands in the configuration: 0.99, or
// { shortage_price: 25 }; and with its whole path of alerts, as generated rules and the
// example receiver have it. It knows nothing of the plant's delay but what it
// measures.
func NewObjective(objective string) plant.Controller {
	c, err := config.Load("compared.yml", fmt.Appendf(nil, objectivePolicy, objective), registry.NewRegistry(process.NewConfig))
	if err != nil {
		panic(err)
	}
	a, err := simulate.NewAutoscaler(context.Background(), c, "compared", simulate.AutoscalerOptions{})
	if err != nil {
		panic(err)
	}
	return &playing{a}
}

// playing is a controller that must not fail in silence.
type playing struct{ *simulate.Autoscaler }

// Desired is one evaluation.
func (p *playing) Desired(s plant.Signal) int {
	n := p.Autoscaler.Desired(s)
	if err := p.Err(); err != nil {
		panic(err)
	}
	return n
}
