package drain

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"time"

	"github.com/alertscaler/alertscaler/scaler/program"
)

// notYet is the exit code by which a command says that the replica is still at
// work: EX_TEMPFAIL of sysexits.h.
const notYet = 75

// killAfter is how long a command whose time is up may take to end.
const killAfter = 5 * time.Second

// maxOutput is how much of a command's output is kept, for the error.
const maxOutput = 512

// command is a program and its arguments. It ends with 0 where the replica is
// done, with 75 where that is still at work; anything else is a failure.
type command struct {
	argv    []string
	passEnv []string
}

func (c command) call(ctx context.Context, r Request) (again time.Duration, err error) {
	argv := make([]string, len(c.argv))
	for i, arg := range c.argv {
		if needsAddress(arg) && r.Replica.Address == "" {
			return 0, fmt.Errorf("the address of %s is not known, and the hook's command needs it", r.Replica.Name)
		}
		argv[i] = r.expand(arg, func(s string) string { return s })
	}
	cmd := program.Command(argv, "", append(program.Environ(c.passEnv, nil),
		"ALERTSCALER_ACTION="+string(r.Action),
		"ALERTSCALER_POLICY="+r.Policy,
		"ALERTSCALER_TARGET="+r.Target,
		"ALERTSCALER_SCALE_TARGET="+r.ScaleTarget,
		"ALERTSCALER_REPLICA="+r.Replica.ID,
		"ALERTSCALER_NAME="+r.Replica.Name,
		"ALERTSCALER_ADDRESS="+r.Replica.Address,
		"ALERTSCALER_DEADLINE="+r.Deadline.UTC().Format(time.RFC3339),
	))
	printed := program.NewOutput(2 * maxOutput)
	cmd.Stdout, cmd.Stderr = printed, printed
	err = program.RunGrace(ctx, cmd, killAfter)
	if exit, ok := errors.AsType[*exec.ExitError](err); ok && exit.ExitCode() == notYet {
		return 0, errNotYet
	}
	if err != nil {
		return 0, fmt.Errorf("%s: %w: %s", argv[0], err, printed.Last(maxOutput))
	}
	return 0, nil
}
