package report

import (
	"io"
	"time"

	"github.com/alertscaler/alertscaler/testdata/compare/contender"
)

// published are figures of an earlier, independent comparison on eight
// recorded traces (wc98, twitter_stream, nab_asg_cpu, azure_llm_conv,
// alibaba_genai_qps, facebook_hadoop_2010, planetlab_cpu, steam_cs2): cost at
// mean τ_U ≤ 1, 2 and 3 %, by delay. They say how close this plant is to the
// other one; nothing is tuned to them.
var published = map[time.Duration]map[string][3]float64{
	time.Minute: {
		clairvoyant:                                  {1.10, 1.10, 1.10},
		contender.HPA:                                {2.67, 2.01, 1.72},
		"Nomad target-value, 30 s cooldown":          {8.73, 6.16, 3.82},
		"AWS target tracking":                        {4.04, 2.23, 1.88},
		"±1 per alert, 60 s cooldown":                {6.26, 3.44, 2.65},
		"fixed ratio, 300 s hold, linear prediction": {2.47, 1.95, 1.71},
	},
	10 * time.Second: {
		clairvoyant:                                  {1.02, 1.02, 1.02},
		contender.HPA:                                {1.85, 1.61, 1.51},
		"Nomad target-value, 30 s cooldown":          {3.82, 2.16, 1.77},
		"AWS target tracking":                        {3.06, 2.05, 1.75},
		"±1 per alert, 60 s cooldown":                {4.92, 3.44, 2.65},
		"fixed ratio, 300 s hold, linear prediction": {1.83, 1.51, 1.43},
	},
}

const clairvoyant = "clairvoyant"

var publishedLimits = []float64{0.01, 0.02, 0.03}

// Published writes this run's figures beside the published ones.
func (q *Quality) Published(to io.Writer) error {
	w := &writer{to: to}
	for i := range q.Comparisons {
		c := &q.Comparisons[i]
		w.line("Ready after %s: this run / published\n", c.After())
		w.header("", "≤ 1 %", "≤ 2 %", "≤ 3 %")
		figures := published[c.Delay]
		row := func(name string, best func(limit float64) (float64, bool)) {
			theirs, ok := figures[name]
			if !ok {
				return
			}
			cells := []string{name}
			for j, l := range publishedLimits {
				cell := "–"
				if v, ok := best(l); ok {
					cell = cost(v)
				}
				cells = append(cells, cell+" / "+cost(theirs[j]))
			}
			w.row(cells...)
		}
		row(clairvoyant, func(float64) (float64, bool) { return c.Optimum.Cost, true })
		for j := range c.Curves {
			row(c.Curves[j].Contender.Name, func(l float64) (float64, bool) {
				p, ok := c.Curves[j].Best(l)
				return p.Cost, ok
			})
		}
		w.line("")
	}
	return w.err
}
