package ansible

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"time"

	"github.com/go-kit/log/level"

	"github.com/alertscaler/alertscaler/scaler/program"
	"github.com/alertscaler/alertscaler/scaler/target"
	"github.com/alertscaler/alertscaler/scaler/target/share"
)

// jobTemplate is a target.Target.
type jobTemplate struct {
	share.OnClose // a job under way is the controller's and goes on
	counted
	cfg        AWXConfig
	controller *controller

	// turn is for whoever uses what follows.
	turn share.Lock
	// following is the job under way; 0: none.
	following int
	request   *request
	// unsure: there may be a job that this server does not know of.
	unsure bool
}

func newJobTemplate(cfg *AWXConfig, o target.Options, c *controller) *jobTemplate {
	t := &jobTemplate{
		OnClose: c.client.CloseIdleConnections,
		counted: counted{options: o, logger: o.Log(), run: "job", key: "job_template", value: cfg.JobTemplate},
		cfg:     *cfg, controller: c, unsure: true,
	}
	t.current = newCached(cfg.Current.source(environment{env: program.Environ(cfg.PassEnv, nil)}, func(ctx context.Context, op string, _ time.Time) (int, error) {
		return c.hosts(ctx, op, cfg.Current.Inventory, cfg.Current.Group)
	}))
	return t
}

// Current implements target.Target. While a job is under way, requested is
// what it was launched for.
func (t *jobTemplate) Current(ctx context.Context) (target.State, error) {
	op := "count the replicas of " + t.options.Name
	if err := t.turn.Lock(ctx); err != nil {
		return target.State{}, failure(op, err)
	}
	defer t.turn.Unlock()
	if _, err := t.follow(ctx, op); err != nil {
		return target.State{}, err
	}
	return t.count(ctx, op)
}

// Scale implements target.Target. It returns once the job is launched.
func (t *jobTemplate) Scale(ctx context.Context, desired int) error {
	op := fmt.Sprintf("scale %s to %d", t.options.Name, desired)
	if desired < 0 {
		return target.Errorf(target.KindPermanent, op, "%d is not a number of replicas", desired)
	}
	if err := t.turn.Lock(ctx); err != nil {
		return failure(op, err)
	}
	defer t.turn.Unlock()
	template, err := t.follow(ctx, op)
	if err != nil {
		return err
	}
	from, err := t.due(ctx, op, desired)
	if err != nil {
		return err
	}
	vars := ownVars(ctx, t.options, desired, from)
	maps.Copy(vars, t.cfg.ExtraVars) // none of which has a name of ours
	id, err := t.controller.launch(ctx, op, template, vars)
	if err != nil {
		// The job may be there all the same: the next call looks for it.
		t.unsure = target.KindOf(err) == target.KindTemporary
		return err
	}
	t.following, t.request = id, t.requests.begin(op, from, desired, time.Now())
	level.Info(t.logger).Log("msg", "job launched", "job", id, "job_template", t.cfg.JobTemplate, "desired", desired, "current", from)
	return nil
}

// follow brings what is known of the job up to date and returns the id of the
// job template. The caller has the turn.
func (t *jobTemplate) follow(ctx context.Context, op string) (template int, err error) {
	if template, err = t.controller.find(ctx, op, "job_templates/", "job template", t.cfg.JobTemplate, nil); err != nil {
		return 0, err
	}
	if t.unsure {
		j, desired, err := t.controller.active(ctx, op, template, t.options)
		if err != nil {
			return 0, err
		}
		t.unsure = false
		if j != nil {
			t.following, t.request = j.ID, t.requests.begin(op, unknown, desired, j.Created)
			level.Info(t.logger).Log("msg", "job found under way", "job", j.ID, "desired", desired)
		}
	}
	if t.following == 0 {
		return template, nil
	}
	var j job
	err = t.controller.call(ctx, op, http.MethodGet, fmt.Sprintf("jobs/%d/", t.following), nil, nil, &j)
	done := false
	switch target.KindOf(err) {
	case "":
		done, err = t.controller.outcome(ctx, t.request.op, &j)
	case target.KindNotFound:
		done, err = true, target.Errorf(target.KindTemporary, t.request.op, "job %d is gone before it was seen to end: %w", t.following, err)
	default:
		return 0, err
	}
	if !done {
		return template, nil
	}
	if ctx.Err() != nil {
		return 0, failure(op, ctx.Err()) // why it failed was not read
	}
	t.current.forget()
	t.requests.end(t.request, err, time.Now())
	if err != nil {
		level.Error(t.logger).Log("msg", "job failed", "job", t.following, "desired", t.request.desired, "kind", target.KindOf(err), "err", err)
	} else {
		level.Info(t.logger).Log("msg", "job done", "job", t.following, "desired", t.request.desired)
	}
	t.following = 0
	return template, nil
}
