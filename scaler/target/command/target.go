package command

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"os/exec"
	"strconv"
	"time"

	"github.com/alertscaler/alertscaler/scaler/program"
	"github.com/alertscaler/alertscaler/scaler/target"
)

// Bounds of what is kept of a program's output.
const (
	maxAnswer = 64 << 10 // of the program for current: a few numbers
	maxShown  = 4 << 10  // in an error
)

// commands is a target.Target.
type commands struct {
	cfg   Config
	names placeholders
	env   []string
	// scaling holds one token: whoever has it runs the program for scale.
	scaling chan struct{}
}

var _ target.Target = (*commands)(nil)

func newTarget(c *Config, o target.Options) *commands {
	return &commands{
		cfg: *c, env: program.Environ(c.PassEnv, c.Env), scaling: make(chan struct{}, 1),
		names: placeholders{policy: o.Policy, target: o.Name, scaleTarget: o.ScaleTarget},
	}
}

// Current implements target.Target.
func (t *commands) Current(ctx context.Context) (target.State, error) {
	return t.read(ctx, "count the replicas of "+t.names.target)
}

func (t *commands) read(ctx context.Context, op string) (target.State, error) {
	answer, complaint := &program.Capped{Max: maxAnswer}, program.NewOutput(maxShown)
	cmd := t.command(t.cfg.Current, t.names)
	cmd.Stdout, cmd.Stderr = answer, complaint
	err := t.run(ctx, op, cmd, t.cfg.Current[0], time.Duration(t.cfg.CurrentTimeout), func() string {
		if s := complaint.Last(maxShown); s != "" {
			return s
		}
		return excerpt(answer.Kept.Bytes())
	})
	if err != nil {
		return target.State{}, err
	}
	if answer.Over {
		return target.State{}, target.Errorf(target.KindTemporary, op, "%s printed more than %d bytes: %q", t.cfg.Current[0], maxAnswer, excerpt(answer.Kept.Bytes()))
	}
	st, err := parse(answer.Kept.Bytes())
	if err != nil {
		return target.State{}, target.Errorf(target.KindTemporary, op, "%s %w", t.cfg.Current[0], err)
	}
	return st, nil
}

// Scale implements target.Target.
func (t *commands) Scale(ctx context.Context, desired int) error {
	op := fmt.Sprintf("scale %s to %d", t.names.target, desired)
	if desired < 0 || desired > math.MaxInt32 {
		return target.Errorf(target.KindPermanent, op, "%d is not a number of replicas", desired)
	}
	if err := ctx.Err(); err != nil {
		return target.Errorf(target.KindTemporary, op, "%w", err)
	}
	select {
	case t.scaling <- struct{}{}:
		defer func() { <-t.scaling }()
	case <-ctx.Done():
		return target.Errorf(target.KindTemporary, op, "another call is still under way: %w", ctx.Err())
	}
	st, err := t.read(ctx, op)
	if err != nil {
		return err
	}
	if st.Requested == desired {
		return target.Errorf(target.KindNoOp, op, "it has %d replicas already", desired)
	}
	call := t.names
	call.desired, call.current = desired, st.Requested
	if r, known := target.RequestOf(ctx); known {
		call.policy = r.Policy
	}
	printed := program.NewOutput(maxShown)
	cmd := t.command(t.cfg.Scale, call)
	cmd.Env = append(cmd.Env, "ALERTSCALER_DESIRED="+strconv.Itoa(desired), "ALERTSCALER_CURRENT="+strconv.Itoa(st.Requested))
	cmd.Stdout, cmd.Stderr = printed, printed
	return t.run(ctx, op, cmd, t.cfg.Scale[0], time.Duration(t.cfg.ScaleTimeout), func() string { return printed.Last(maxShown) })
}

func (t *commands) command(argv []string, p placeholders) *exec.Cmd {
	expanded := p.expand(argv)
	cmd := exec.Command(program.Absolute(expanded[0]), expanded[1:]...)
	cmd.Dir = t.cfg.Dir
	cmd.Env = append(p.environ(), t.env...)
	return cmd
}

// run runs a program to its end, or ends it with all that it started once its
// time is up. said is what it has printed, for its error.
func (t *commands) run(ctx context.Context, op string, cmd *exec.Cmd, name string, timeout time.Duration, said func() string) error {
	bounded, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	err := program.Run(bounded, cmd)
	if err == nil || errors.Is(err, exec.ErrWaitDelay) {
		return nil
	}
	output := cmp.Or(said(), "it printed nothing")
	if late := bounded.Err(); late != nil {
		if ctx.Err() == nil {
			late = fmt.Errorf("it took longer than %s: %w", timeout, late)
		}
		return target.Errorf(target.KindTemporary, op, "%s was killed with all that it had started: %w: %s", name, late, output)
	}
	return failure(op, name, err, output)
}
