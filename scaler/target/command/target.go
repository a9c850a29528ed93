package command

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"os/exec"
	"strconv"
	"time"

	"github.com/alertscaler/alertscaler/scaler/program"
	"github.com/alertscaler/alertscaler/scaler/target"
	"github.com/alertscaler/alertscaler/scaler/target/share"
)

// Bounds of what is kept of a program's output.
const (
	maxAnswer = 64 << 10 // of the program for current: a few numbers
	maxShown  = 4 << 10  // in an error
)

// commands is a target.Target.
type commands struct {
	cfg     Config
	names   placeholders
	env     []string
	scaling share.Lock // whoever has it runs the program for scale
}

var _ target.Target = (*commands)(nil)

func newTarget(c *Config, o target.Options) *commands {
	return &commands{
		cfg: *c, env: program.Environ(c.PassEnv, c.Env),
		names: placeholders{policy: o.Policy, target: o.Name, scaleTarget: o.ScaleTarget},
	}
}

// Current implements target.Target.
func (t *commands) Current(ctx context.Context) (target.State, error) {
	return t.read(ctx, "count the replicas of "+t.names.target)
}

func (t *commands) read(ctx context.Context, op string) (target.State, error) {
	var answer program.Answer
	err := t.run(ctx, op, t.cfg.Current[0], time.Duration(t.cfg.CurrentTimeout), func(ctx context.Context) (said string, err error) {
		answer, err = program.Ask(ctx, t.command(t.cfg.Current, t.names), maxAnswer)
		return answer.Said(), err
	})
	if err != nil {
		return target.State{}, err
	}
	if answer.Over {
		return target.State{}, target.Errorf(target.KindTemporary, op, "%s printed more than %d bytes: %q", t.cfg.Current[0], maxAnswer, program.Excerpt(answer.Stdout))
	}
	st, err := parse(answer.Stdout)
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
	if err := t.scaling.Lock(ctx); err != nil {
		return target.Errorf(target.KindTemporary, op, "wait for another call: %w", err)
	}
	defer t.scaling.Unlock()
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
	return t.run(ctx, op, t.cfg.Scale[0], time.Duration(t.cfg.ScaleTimeout), func(ctx context.Context) (string, error) {
		err := program.Run(ctx, cmd)
		return cmp.Or(printed.Last(maxShown), "it printed nothing"), err
	})
}

func (t *commands) command(argv []string, p placeholders) *exec.Cmd {
	env := []string{"ALERTSCALER_POLICY=" + p.policy, "ALERTSCALER_TARGET=" + p.target, "ALERTSCALER_SCALE_TARGET=" + p.scaleTarget}
	return program.Command(p.expand(argv), t.cfg.Dir, append(env, t.env...))
}

// run has a program run for timeout at most. What it said is for its error.
func (t *commands) run(ctx context.Context, op, name string, timeout time.Duration, do func(context.Context) (said string, err error)) error {
	bounded, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	output, err := do(bounded)
	if err == nil {
		return nil
	}
	if late := bounded.Err(); late != nil {
		if ctx.Err() == nil {
			late = fmt.Errorf("it took longer than %s: %w", timeout, late)
		}
		return target.Errorf(target.KindTemporary, op, "%s was killed with all that it had started: %w: %s", name, late, output)
	}
	return share.ExitFailure(op, name, err, exitMeaning, output)
}

// exitCodes are those that mean something: of sysexits.h where it has one, and
// two after its last. Every other is temporary.
var exitCodes = map[int]share.Exit{
	64:  {Kind: target.KindPermanent, Meaning: "it does not take these arguments"},
	66:  {Kind: target.KindNotFound, Meaning: "what is to be scaled is not there"},
	69:  {Kind: target.KindQuota, Meaning: "there is no room"},
	75:  {Kind: target.KindTemporary, Meaning: "it may work later"},
	77:  {Kind: target.KindUnauthorized, Meaning: "it is not allowed to"},
	78:  {Kind: target.KindPermanent, Meaning: "its configuration is wrong"},
	79:  {Kind: target.KindConflict, Meaning: "someone else has changed it meanwhile"},
	80:  {Kind: target.KindThrottled, Meaning: "it was asked too often"},
	126: {Kind: target.KindPermanent, Meaning: "a program in it may not be executed"},
	127: {Kind: target.KindPermanent, Meaning: "a program in it is not there"},
}

func exitMeaning(code int) share.Exit {
	return cmp.Or(exitCodes[code], share.Exit{Kind: target.KindTemporary})
}

// parse reads what the program for current has printed: one whole number,
// which is both requested and ready, or an object with both. What is missing is
// not taken for zero.
func parse(printed []byte) (st target.State, err error) {
	doc, err := share.Decode(printed)
	if err == nil {
		switch v := doc.(type) {
		case json.Number:
			st.Requested, err = share.Count(v)
			st.Ready = st.Requested
		case map[string]any:
			st, err = fields(v)
		default:
			err = errors.New("it is neither")
		}
	}
	if err != nil {
		return target.State{}, fmt.Errorf(`printed %q, want one whole number or {"requested": 3, "ready": 2}: %w`, program.Excerpt(printed), err)
	}
	return st, nil
}

func fields(doc map[string]any) (st target.State, err error) {
	for _, f := range []struct {
		name   string
		to     *int
		needed bool
	}{{"requested", &st.Requested, true}, {"ready", &st.Ready, true}, {"min", &st.Min, false}, {"max", &st.Max, false}} {
		v := doc[f.name]
		if v == nil {
			if f.needed {
				return st, fmt.Errorf("it has no %s", f.name)
			}
			continue
		}
		if *f.to, err = share.Count(v); err != nil {
			return st, fmt.Errorf("%s: %w", f.name, err)
		}
	}
	if st.Max > 0 && st.Min > st.Max {
		return st, fmt.Errorf("min %d is above max %d", st.Min, st.Max)
	}
	return st, nil
}
