package ansible

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
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

// exitCodes are those of ansible-core.
var exitCodes = map[int]program.Exit{
	-1:  {Kind: target.KindTemporary, Meaning: "it was killed"},
	1:   {Kind: target.KindPermanent, Meaning: "Ansible refused to run it"},
	2:   {Kind: target.KindTemporary, Meaning: "a task failed on a host"},
	4:   {Kind: target.KindTemporary, Meaning: "a host is unreachable"},
	5:   {Kind: target.KindPermanent, Meaning: "Ansible does not know an option"},
	8:   {Kind: target.KindTemporary, Meaning: "a task failed on a host"},
	99:  {Kind: target.KindTemporary, Meaning: "it was interrupted"},
	250: {Kind: target.KindPermanent, Meaning: "an error that Ansible did not expect"},
}

func exitMeaning(code int, printed *program.Output) program.Exit {
	// One code for two things, and one of them no later try will mend.
	if code == 4 && neverRan(printed) {
		return program.Exit{Kind: target.KindPermanent, Meaning: "the playbook cannot be read"}
	}
	if known, ok := exitCodes[code]; ok {
		return known
	}
	return program.Exit{Kind: target.KindPermanent, Meaning: "an exit code that Ansible does not document"}
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
