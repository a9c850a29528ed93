package contender

import (
	"fmt"
	"time"

	"github.com/alertscaler/alertscaler/scaler/simulate/plant"
	"github.com/alertscaler/alertscaler/testdata/compare/alertscaler"
)

// The names of the reservations that are learnt: to be under capacity for a
// share of the time, and what a missing replica costs.
const (
	Objective = "Alertscaler objective"
	Price     = "Alertscaler shortage price"
)

// Alertscaler are this project's own: the place, and the only one, where a
// new kind of reservation is entered into the comparison. Its constructor
// belongs to the main module.
func Alertscaler() []Contender {
	return []Contender{
		{
			Name: Objective, Setting: "reservation.objective", Percent: true, Learns: true, Slow: true,
			Settings: Values(0.999, 0.995, 0.99, 0.985, 0.98, 0.975, 0.97, 0.96, 0.95, 0.93, 0.9),
			Default:  Setting{Value: 0.99},
			New: func(s Setting, _ time.Duration) plant.Controller {
				return alertscaler.NewObjective(fmt.Sprint(s.Value))
			},
		},
		{
			Name: Price, Setting: "reservation.objective.shortage_price", Learns: true, Slow: true,
			Settings: Values(3, 6, 12, 20, 25, 30, 40, 60, 90, 150, 300, 1000), Default: Setting{Value: 25},
			New: func(s Setting, _ time.Duration) plant.Controller {
				return alertscaler.NewObjective(fmt.Sprintf("{ shortage_price: %v }", s.Value))
			},
		},
		{
			Name: "Alertscaler ratio", Setting: "reservation.ratio", Percent: true,
			Settings: Values(append(Grid(0.02, 0.4, 0.02), 0.5, 0.6, 0.7, 0.8, 0.9)...), Default: Setting{Value: 0.3},
			New: func(s Setting, _ time.Duration) plant.Controller { return alertscaler.NewRatio(s.Value) },
		},
	}
}
