package report

import (
	"fmt"
	"io"
	"math"
	"strconv"
	"time"

	"github.com/alertscaler/alertscaler/scaler/simulate/plant"
	"github.com/alertscaler/alertscaler/testdata/compare/workload"
)

// workloads says what there is, and what means of 30 s hide of it.
func (q *Quality) workloads(w *writer) {
	w.line("## The workloads\n")
	w.line("What happens between recorded samples nobody recorded. Where demand moves every five seconds, it does so around each sample as much as neighbouring samples of the same trace differ (relative Allan variance of one, two and four samples; `compare -dispersion` prints it), with the mean that was recorded, and nothing in a sample tells the next one. Straight lines between samples do tell it: there a line that is extended is always right until the next sample. Traces sampled every five minutes or slower are replayed at a minute a sample.\n")
	fine := q.finest()
	if fine == nil {
		dispersion(w, q.Traces, nil)
		return
	}
	w.line("A controller that sees means of 30 s does not see the peaks within. The last two columns are what that alone costs: a fleet that has at every moment exactly what the mean of the present 30 s takes, without any delay, would be under capacity for so much of the time, and lose so much of the demand.\n")
	dispersion(w, q.Traces, func(i int) []string {
		under, lost := hidden(fine[i])
		return []string{percent(under), percent(lost)}
	})
}

// finest are the demands that move the most often.
func (q *Quality) finest() []plant.Demand {
	for i := range q.Comparisons {
		if q.Comparisons[i].Set.Refined {
			return q.Comparisons[i].Set.Demands
		}
	}
	return nil
}

// Dispersion writes how neighbouring samples of the traces differ.
func Dispersion(to io.Writer, traces []plant.Trace) error {
	w := &writer{to: to}
	dispersion(w, traces, nil)
	return w.err
}

func dispersion(w *writer, traces []plant.Trace, more func(i int) []string) {
	head := []string{"", "domain", "samples", "every", "variance of one", "two", "four samples", "deviation within a sample"}
	if more != nil {
		head = append(head, "under capacity at the mean of 30 s", "lost by it")
	}
	w.header(head...)
	for i, t := range traces {
		d := t.Dispersion()
		within := "–"
		if t.Interval > plant.DefaultStep {
			replayed := d
			if t.Interval >= plant.SlowInterval {
				replayed.Interval = plant.ReplayInterval
			}
			within = whole(math.Sqrt(replayed.Within()))
		}
		row := []string{
			t.Name, workload.Domain(t.Name), strconv.Itoa(len(t.Values)), fmt.Sprintf("%.4g s", t.Interval.Seconds()),
			fmt.Sprintf("%.2g", d.One), fmt.Sprintf("%.2g", d.Two), fmt.Sprintf("%.2g", d.Four), within,
		}
		if more != nil {
			row = append(row, more(i)...)
		}
		w.row(row...)
	}
	w.line("")
}

// hidden is what is short where there is exactly what means of 30 s take.
func hidden(d plant.Demand) (under, lost float64) {
	block := int(30 * time.Second / d.Step)
	sum := 0.0
	for from := 0; from < len(d.Values); from += block {
		values := d.Values[from:min(from+block, len(d.Values))]
		has := plant.Need(plant.Trace{Values: values}.Mean())
		for _, v := range values {
			sum += v
			if v > has {
				under++
				lost += v - has
			}
		}
	}
	return under / float64(len(d.Values)), lost / sum
}
