package share

import (
	"errors"
	"os/exec"

	"github.com/alertscaler/alertscaler/scaler/program"
	"github.com/alertscaler/alertscaler/scaler/target"
)

// Exit is what an exit code of a program means.
type Exit struct {
	Kind    target.Kind
	Meaning string
}

// ExitFailure says what kind of error it is that a run of the named program ended
// with err; nil for a nil err. meaning translates its exit code, and said is the
// end of what it printed. Its arguments are not shown: there may be a secret in
// them.
func ExitFailure(op, name string, err error, meaning func(code int) Exit, said string) error {
	switch exit, ok := errors.AsType[*exec.ExitError](err); {
	case err == nil:
		return nil
	case program.NeverStarts(err):
		return target.Errorf(target.KindPermanent, op, "start %s: %w", name, err)
	case !ok:
		return target.Errorf(target.KindTemporary, op, "run %s: %w", name, err)
	default:
		means := meaning(exit.ExitCode())
		if means.Meaning != "" {
			return target.Errorf(means.Kind, op, "%s: %w (%s): %s", name, exit, means.Meaning, said)
		}
		return target.Errorf(means.Kind, op, "%s: %w: %s", name, exit, said)
	}
}
