package contender

import (
	"time"

	"github.com/alertscaler/alertscaler/scaler/simulate/plant"
	"github.com/alertscaler/alertscaler/testdata/compare/alertscaler"
)

// Alertscaler are this project's own: the place, and the only one, where a
// new kind of reservation is entered into the comparison. Its constructor
// belongs to the main module.
func Alertscaler() []Contender {
	return []Contender{
		{
			Name: "Alertscaler ratio", Setting: "reservation.ratio", Percent: true,
			Settings: Grid(0.05, 0.95, 0.05), Default: 0.3,
			New: func(s float64, _ time.Duration) plant.Controller { return alertscaler.NewRatio(s) },
		},
	}
}
