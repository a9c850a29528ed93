package webhook

import (
	"net/http"

	"github.com/go-kit/log"
)

// targetGroup is one element of what Prometheus' HTTP service discovery reads.
type targetGroup struct {
	Targets []string          `json:"targets"`
	Labels  map[string]string `json:"labels"`
}

// discovery is GET /sd/targets. The label scale_target stays on the series
// without any relabelling, which is what the shipped rules sum by.
//
// Prometheus keeps the last list while answers fail and takes an empty one at
// its word, so that a server which does not know yet must not give one.
func discovery(e Endpoints, ready Ready, logger log.Logger) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		if ready != nil {
			if err := known(ready); err != nil {
				http.Error(w, "not Ready: "+oneLine(err), http.StatusServiceUnavailable)
				return
			}
		}
		groups := []targetGroup{}
		if e != nil {
			for _, g := range e.Endpoints() {
				groups = append(groups, targetGroup{
					Targets: list(g.Addresses),
					Labels: map[string]string{
						"__meta_alertscaler_policy": g.Policy,
						"__meta_alertscaler_target": g.Target,
						"scale_target":              g.ScaleTarget,
					},
				})
			}
		}
		writeJSON(w, http.StatusOK, groups, logger)
	}
}

// known is why addresses are not known yet; nil: they are.
func known(r Ready) error {
	if e, ok := r.(Evaluated); ok {
		return e.Evaluated()
	}
	return r.Ready()
}
