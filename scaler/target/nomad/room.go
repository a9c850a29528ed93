package nomad

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/hashicorp/nomad/api"

	"github.com/alertscaler/alertscaler/scaler/target"
)

// noRoom is of KindQuota where Nomad has allocations of the group that it finds
// no node for: it then has an evaluation of the job that is blocked, and says
// why. nil where it has none since the job was last changed, which was at index.
func (g *group) noRoom(ctx context.Context, op string, index uint64) (failed, err error) {
	q, err := g.query(ctx, op)
	if err != nil {
		return nil, err
	}
	evals, _, err := g.api.Jobs().Evaluations(g.cfg.Job, q)
	if err != nil {
		return nil, failure(ctx, op, err)
	}
	if evals == nil {
		return nil, failure(ctx, op, errors.New("the answer is not a list of evaluations"))
	}
	for _, e := range evals {
		if e.Status != api.EvalStatusBlocked || e.CreateIndex < index {
			continue
		}
		// What could not be placed is told by the blocked evaluation or by the
		// one that it came from.
		without := e.FailedTGAllocs
		if without == nil {
			if i := slices.IndexFunc(evals, func(from *api.Evaluation) bool { return from.BlockedEval == e.ID }); i >= 0 {
				without = evals[i].FailedTGAllocs
			}
		}
		m, ok := without[g.cfg.Group]
		if without != nil && !ok {
			continue // it waits for room for another group of the job
		}
		why := describe(m)
		if e.QuotaLimitReached != "" {
			why = append(why, "the quota "+e.QuotaLimitReached+" is used up")
		}
		if len(why) == 0 {
			why = []string{cmp.Or(e.StatusDescription, "it does not say why")}
		}
		return target.Errorf(target.KindQuota, fmt.Sprintf("place the allocations of job %s group %s", g.cfg.Job, g.cfg.Group),
			"evaluation %s waits for room: %s", e.ID, strings.Join(why, ", ")), nil
	}
	return nil, nil
}

// describe says why nodes did not do.
func describe(m *api.AllocationMetric) []string {
	if m == nil {
		return nil
	}
	why := []string{fmt.Sprintf("%d nodes were looked at", m.NodesEvaluated)}
	for _, of := range []struct {
		says  string
		nodes map[string]int
	}{
		{"%d have not enough of %s", m.DimensionExhausted},
		{"%d do not meet %s", m.ConstraintFiltered},
		{"%d are not of the class %s", m.ClassFiltered},
	} {
		for _, name := range slices.Sorted(maps.Keys(of.nodes)) {
			why = append(why, fmt.Sprintf(of.says, of.nodes[name], name))
		}
	}
	for _, q := range m.QuotaExhausted {
		why = append(why, "the quota has not enough of "+q)
	}
	return why
}
