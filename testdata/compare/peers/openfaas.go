package peers

import (
	"math"

	"github.com/alertscaler/alertscaler/scaler/simulate/plant"
)

// OpenFaaS is a model of the Community Edition's scaling by Alertmanager
// (openfaas/faas: gateway/handlers/alerthandler.go, CalculateReplicas;
// prometheus/alert.rules.yml, APIHighInvocationRate): while the load of a
// function is above a threshold, each notification adds 20 % of the maximum
// (com.openfaas.scale.factor); when the alert is resolved, the function goes
// back to its minimum.
type OpenFaaS struct {
	// Threshold of the whole function's load, in replicas' worth.
	Threshold float64
}

const (
	openfaasFactor = 0.2
	openfaasMax    = 200
)

// Desired acts on one notification.
func (o OpenFaaS) Desired(s plant.Signal) int {
	if s.Usage <= o.Threshold {
		return 1
	}
	return min(s.Requested+int(math.Ceil(openfaasMax*openfaasFactor)), openfaasMax)
}
