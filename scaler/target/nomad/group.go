package nomad

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"math"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/hashicorp/nomad/api"
	"github.com/prometheus/common/config"

	"github.com/alertscaler/alertscaler/scaler/outgoing"
	"github.com/alertscaler/alertscaler/scaler/target"
	"github.com/alertscaler/alertscaler/scaler/target/share"
)

// group is a target.Target.
type group struct {
	share.OnClose
	cfg          Config
	policy, name string
	api          *api.Client
}

func newGroup(c *Config, o target.Options) (*group, error) {
	shared := o.HTTPClient
	if shared == nil {
		cfg := config.HTTPClientConfig{EnableHTTP2: true}
		if c.TLSConfig != nil {
			cfg.TLSConfig = *c.TLSConfig
		}
		var err error
		if shared, err = outgoing.NewClient(cfg, "target_nomad", config.WithUserAgent("alertscaler")); err != nil {
			return nil, fmt.Errorf("client of %s: %w", c.address(), err)
		}
	}
	// A redirected PUT comes back as the answer to a GET, which the client
	// would take for consent.
	own := *shared
	own.Transport = share.Noting(cmp.Or(shared.Transport, http.DefaultTransport))
	own.CheckRedirect = outgoing.Stay
	client, err := api.NewClient(&api.Config{Address: c.address(), HttpClient: &own})
	if err != nil {
		return nil, fmt.Errorf("client of %s: %w", c.address(), err)
	}
	return &group{OnClose: own.CloseIdleConnections, cfg: *c, policy: o.Policy, name: o.Name, api: client}, nil
}

// Current implements target.Target.
//
// Ready counts the healthy allocations of a service job, whose health Nomad
// watches, unless its operator decides on it by hand; and the running ones of
// every other job.
//
// Failed says that Nomad finds no node for allocations; see noRoom.
func (g *group) Current(ctx context.Context) (target.State, error) {
	ctx, op := share.Note(ctx), fmt.Sprintf("read job %s group %s", g.cfg.Job, g.cfg.Group)
	st, index, err := g.read(ctx, op)
	if err != nil || st.Ready >= st.Requested {
		return st, err
	}
	if st.Failed, err = g.noRoom(ctx, op, index); err != nil {
		return target.State{}, err
	}
	return st, nil
}

// Scale implements target.Target. A change of the job since it was read, by
// anyone, is a conflict, and so is a deployment of the job that goes on: Nomad
// scales nothing meanwhile.
func (g *group) Scale(ctx context.Context, desired int) error {
	ctx, op := share.Note(ctx), fmt.Sprintf("scale job %s group %s to %d", g.cfg.Job, g.cfg.Group, desired)
	if desired < 0 || desired > math.MaxInt32 {
		return target.Errorf(target.KindPermanent, op, "%d is not a number of replicas", desired)
	}
	st, index, err := g.read(ctx, op)
	if err != nil {
		return err
	}
	if st.Requested == desired {
		return target.Errorf(target.KindNoOp, op, "it has %d replicas already", desired)
	}
	q, err := g.query(ctx, op)
	if err != nil {
		return err
	}
	count := int64(desired)
	_, _, err = g.api.Jobs().ScaleWithRequest(g.cfg.Job, &api.ScalingRequest{
		Count:   &count,
		Target:  map[string]string{"Job": g.cfg.Job, "Group": g.cfg.Group},
		Message: fmt.Sprintf("alertscaler: policy %s, target %s: %d to %d", g.policy, g.name, st.Requested, desired),
		// Servers that do not know it yet ignore it.
		JobModifyIndex: index,
	}, (&api.WriteOptions{Region: q.Region, Namespace: q.Namespace, AuthToken: q.AuthToken}).WithContext(ctx))
	return failure(ctx, op, err)
}

// read asks for the job and the state of the group, and returns the index of
// the job as well. The job is asked for first: what changes after that is
// found by its index.
func (g *group) read(ctx context.Context, op string) (target.State, uint64, error) {
	q, err := g.query(ctx, op)
	if err != nil {
		return target.State{}, 0, err
	}
	job, _, err := g.api.Jobs().Info(g.cfg.Job, q)
	if err != nil {
		return target.State{}, 0, failure(ctx, op, err)
	}
	if share.Value(job.ID) != g.cfg.Job || job.JobModifyIndex == nil {
		return target.State{}, 0, failure(ctx, op, errors.New("the answer is not the description of the job"))
	}
	status := new(scaleStatus)
	if _, err := g.api.Raw().Query("/v1/job/"+url.PathEscape(g.cfg.Job)+"/scale", status, q); err != nil {
		return target.State{}, 0, failure(ctx, op, err)
	}
	counts, ok := status.TaskGroups[g.cfg.Group]
	if status.TaskGroups == nil || ok && (counts.Desired == nil || counts.Running == nil || counts.Healthy == nil) {
		return target.State{}, 0, failure(ctx, op, errors.New("the answer does not have the counts of the job's groups"))
	}
	st, err := g.state(op, job, status)
	// That of the status is another index by the same name: it moves with
	// everything that becomes of the job.
	return st, share.Value(job.JobModifyIndex), err
}

// query is with what to ask, with the token of this moment.
func (g *group) query(ctx context.Context, op string) (*api.QueryOptions, error) {
	token, err := g.cfg.token()
	if err != nil {
		return nil, failure(ctx, op, err)
	}
	return (&api.QueryOptions{Region: g.cfg.Region, Namespace: g.cfg.namespace(), AuthToken: token}).WithContext(ctx), nil
}

// scaleStatus is the answer about a job's counts. The client's own type cannot
// tell a count that is absent from one that is 0.
type scaleStatus struct {
	JobStopped bool
	TaskGroups map[string]struct{ Desired, Running, Healthy *int }
}

func (g *group) state(op string, job *api.Job, status *scaleStatus) (target.State, error) {
	counts, ok := status.TaskGroups[g.cfg.Group]
	at := slices.IndexFunc(job.TaskGroups, func(tg *api.TaskGroup) bool { return share.Value(tg.Name) == g.cfg.Group })
	if !ok || at < 0 {
		known := strings.Join(slices.Sorted(maps.Keys(status.TaskGroups)), ", ")
		return target.State{}, target.Errorf(target.KindNotFound, op, "the job has no such group (it has: %s)", known)
	}
	if status.JobStopped {
		return target.State{}, target.Errorf(target.KindNotFound, op, "the job is stopped; `nomad job start %s` starts it again", g.cfg.Job)
	}
	kind := share.Value(job.Type)
	if kind == api.JobTypeSystem || kind == api.JobTypeSysbatch {
		return target.State{}, target.Errorf(target.KindPermanent, op, "a %s job runs once on every node and cannot be scaled", kind)
	}
	tg := job.TaskGroups[at]
	st := target.State{Requested: *counts.Desired, Ready: *counts.Running}
	if kind == api.JobTypeService && !healthByHand(job, tg) {
		st.Ready = *counts.Healthy
	}
	if tg.Scaling != nil {
		st.Min, st.Max = int(share.Value(tg.Scaling.Min)), int(share.Value(tg.Scaling.Max))
	}
	if submitted := share.Value(job.SubmitTime); submitted > 0 {
		// Any change of the job moves it, so this is when the count changed or
		// later.
		st.LastChange = time.Unix(0, submitted)
	}
	return st, nil
}

// healthByHand reports whether somebody else tells Nomad what is healthy.
func healthByHand(job *api.Job, tg *api.TaskGroup) bool {
	for _, u := range []*api.UpdateStrategy{tg.Update, job.Update} {
		if u != nil && u.HealthCheck != nil {
			return *u.HealthCheck == "manual"
		}
	}
	return false
}

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
