package command

import (
	"errors"
	"os/exec"

	"github.com/alertscaler/alertscaler/scaler/program"
	"github.com/alertscaler/alertscaler/scaler/target"
)

// exitCodes are those that mean something: of sysexits.h where it has one, and
// two after its last. Every other is temporary.
var exitCodes = map[int]struct {
	kind    target.Kind
	meaning string
}{
	64:  {target.KindPermanent, "it does not take these arguments"},
	66:  {target.KindNotFound, "what is to be scaled is not there"},
	69:  {target.KindQuota, "there is no room"},
	75:  {target.KindTemporary, "it may work later"},
	77:  {target.KindUnauthorized, "it is not allowed to"},
	78:  {target.KindPermanent, "its configuration is wrong"},
	79:  {target.KindConflict, "someone else has changed it meanwhile"},
	80:  {target.KindThrottled, "it was asked too often"},
	126: {target.KindPermanent, "a program in it may not be executed"},
	127: {target.KindPermanent, "a program in it is not there"},
}

// failure is the error of a run that did not go well. What is shown of the
// arguments is the program alone: there may be a secret in the others.
func failure(op, name string, err error, output string) error {
	if program.NeverStarts(err) {
		return target.Errorf(target.KindPermanent, op, "start %s: %w", name, err)
	}
	exit, ok := errors.AsType[*exec.ExitError](err)
	if !ok {
		return target.Errorf(target.KindTemporary, op, "run %s: %w", name, err)
	}
	if known, ok := exitCodes[exit.ExitCode()]; ok {
		return target.Errorf(known.kind, op, "%s: %w (%s): %s", name, exit, known.meaning, output)
	}
	return target.Errorf(target.KindTemporary, op, "%s: %w: %s", name, exit, output)
}
