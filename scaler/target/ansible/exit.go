package ansible

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"strings"

	"github.com/alertscaler/alertscaler/scaler/program"
	"github.com/alertscaler/alertscaler/scaler/target"
)

// present checks that a file is there.
func present(op, what, path string) error {
	_, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return target.Errorf(target.KindPermanent, op, "the %s is gone: %w", what, err)
	case err != nil:
		return target.Errorf(target.KindPermanent, op, "the %s: %w", what, err)
	}
	return nil
}

// exitError is how a run of ansible-playbook ended, as an error of a kind; nil
// for one that went well.
func exitError(op string, err error, printed *program.Output) error {
	if err == nil {
		return nil
	}
	exit, ok := errors.AsType[*exec.ExitError](err)
	if !ok {
		return target.Errorf(target.KindTemporary, op, "run ansible-playbook: %w", err)
	}
	kind, meaning := exitKind(exit.ExitCode(), printed)
	return target.Errorf(kind, op, "ansible-playbook: %w (%s): %s", exit, meaning, quoted(printed))
}

// exitKind translates the exit codes of ansible-core.
func exitKind(code int, printed *program.Output) (target.Kind, string) {
	switch code {
	case -1:
		return target.KindTemporary, "it was killed"
	case 2, 8:
		return target.KindTemporary, "a task failed on a host"
	case 4:
		// One code for two things, and one of them no later try will mend.
		if neverRan(printed) {
			return target.KindPermanent, "the playbook cannot be read"
		}
		return target.KindTemporary, "a host is unreachable"
	case 5:
		return target.KindPermanent, "Ansible does not know an option"
	case 99:
		return target.KindTemporary, "it was interrupted"
	case 250:
		return target.KindPermanent, "an error that Ansible did not expect"
	case 1:
		return target.KindPermanent, "Ansible refused to run it"
	default:
		return target.KindPermanent, "an exit code that Ansible does not document"
	}
}

// neverRan reports whether the output is that of a parser which gave up: an
// error, and nothing of any host.
func neverRan(printed *program.Output) bool {
	s := printed.String()
	return (strings.Contains(s, "ERROR!") || strings.Contains(s, "[ERROR]")) &&
		!strings.Contains(s, "PLAY RECAP") && !strings.Contains(strings.ToLower(s), "unreachable")
}

// quoted is the end of what a run printed, for its error.
func quoted(printed *program.Output) string {
	s := printed.Last(maxErrorOutput)
	if s == "" {
		return "it printed nothing"
	}
	if n := printed.Dropped(); n > 0 {
		return fmt.Sprintf("it printed %d bytes, which end with: %s", printed.Total, s)
	}
	return s
}
