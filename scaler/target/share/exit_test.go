//go:build unix

package share_test

import (
	"errors"
	"fmt"
	"testing"

	"github.com/alertscaler/alertscaler/scaler/program"
	"github.com/alertscaler/alertscaler/scaler/target"
	"github.com/alertscaler/alertscaler/scaler/target/share"
)

func TestExitFailure(t *testing.T) {
	t.Parallel()
	meaning := func(code int) share.Exit {
		if code == 3 {
			return share.Exit{Kind: target.KindQuota, Meaning: "there is no room"}
		}
		return share.Exit{Kind: target.KindConflict}
	}
	run := func(argv ...string) error {
		return program.Run(t.Context(), program.Command(argv, "", nil))
	}
	for _, test := range []struct {
		name string
		err  error
		kind target.Kind
		want string
	}{
		{"well", run("true"), "", "<nil>"},
		{"with a code that means something", run("sh", "-c", "exit 3"), target.KindQuota, "scale: tool: exit status 3 (there is no room): it said so"},
		{"with another", run("sh", "-c", "exit 4"), target.KindConflict, "scale: tool: exit status 4: it said so"},
		{"not started", run("no-such-program"), target.KindPermanent, `scale: start tool: exec: "no-such-program": executable file not found in $PATH`},
		{"of something else", errors.New("what"), target.KindTemporary, "scale: run tool: what"},
	} {
		err := share.ExitFailure("scale", "tool", test.err, meaning, "it said so")
		if got := fmt.Sprint(err); got != test.want || target.KindOf(err) != test.kind {
			t.Errorf("%s: %s of kind %q, want %s of kind %q", test.name, got, target.KindOf(err), test.want, test.kind)
		}
	}
}
