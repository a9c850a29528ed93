package ansible

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"time"

	"github.com/go-kit/log/level"

	"github.com/alertscaler/alertscaler/scaler/program"
	"github.com/alertscaler/alertscaler/scaler/recovery"
	"github.com/alertscaler/alertscaler/scaler/target"
	"github.com/alertscaler/alertscaler/scaler/target/share"
)

// run is one run of the playbook.
type run struct {
	*request
	group   *program.Group
	printed *program.Output
	vars    *pipe         // of its variables
	done    chan struct{} // closed once its end is remembered
}

// launch starts ansible-playbook and follows it to its end.
func (p *playbook) launch(op string, from, desired int, vars map[string]any) (*run, error) {
	r := &run{printed: program.NewOutput(int(p.cfg.MaxOutput)), done: make(chan struct{})}
	content, err := varsFile(p.cfg.ExtraVars, vars)
	if err == nil {
		r.vars, err = newPipe(content)
	}
	if err != nil {
		return nil, target.Errorf(target.KindTemporary, op, "pass the variables: %w", err)
	}
	argv := []string{program.Absolute(p.cfg.AnsiblePlaybook)}
	if p.cfg.Inventory != "" {
		argv = append(argv, "--inventory="+absolute(p.cfg.Inventory))
	}
	cmd := program.Command(append(argv, "--extra-vars=@"+r.vars.path, absolute(p.cfg.Playbook)), p.environment.dir, p.environment.env)
	cmd.Stdout, cmd.Stderr = r.printed, r.printed
	if r.group, err = program.Start(cmd); err != nil {
		r.vars.close()
		return nil, target.Errorf(target.KindPermanent, op, "start %s: %w", p.cfg.AnsiblePlaybook, err)
	}
	r.request = p.requests.begin(op, from, desired, time.Now())
	level.Info(p.logger).Log("msg", "playbook started", "playbook", p.cfg.Playbook, "desired", desired, "current", from, "pid", cmd.Process.Pid)
	p.running.Go(func() { p.follow(op, r) })
	return r, nil
}

// follow waits for the end of a run, ends one that takes too long, and remembers it.
func (p *playbook) follow(op string, r *run) {
	defer close(r.done)
	err := recovery.Do(recovery.Action, func() error {
		select {
		case <-r.group.Exited:
			return share.ExitFailure(op, "ansible-playbook", r.group.Err, func(code int) share.Exit { return exitMeaning(code, r.printed) }, quoted(r.printed))
		case <-p.after(time.Duration(p.cfg.Timeout)):
			r.group.End(killAfter)
			return target.Errorf(target.KindTemporary, op, "the playbook was ended, it took longer than %s: %s", p.cfg.Timeout, quoted(r.printed))
		case <-p.closing.Done():
			r.group.End(killAfter)
			return target.Errorf(target.KindTemporary, op, "the playbook was ended with its target: %s", quoted(r.printed))
		}
	})
	r.vars.close()
	// What was counted before is not what is counted now.
	if p.listing != nil {
		p.listing.forget()
	}
	p.current.forget()
	now := time.Now()
	p.requests.end(r.request, err, now)
	took := now.Sub(r.made).Round(time.Millisecond)
	if err != nil {
		level.Error(p.logger).Log("msg", "playbook failed", "playbook", p.cfg.Playbook, "desired", r.desired, "kind", target.KindOf(err), "took", took, "output", r.printed, "err", err)
		return
	}
	level.Info(p.logger).Log("msg", "playbook done", "playbook", p.cfg.Playbook, "desired", r.desired, "took", took)
	level.Debug(p.logger).Log("msg", "playbook output", "output", r.printed)
}

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
var exitCodes = map[int]share.Exit{
	-1:  {Kind: target.KindTemporary, Meaning: "it was killed"},
	1:   {Kind: target.KindPermanent, Meaning: "Ansible refused to run it"},
	2:   {Kind: target.KindTemporary, Meaning: "a task failed on a host"},
	4:   {Kind: target.KindTemporary, Meaning: "a host is unreachable"},
	5:   {Kind: target.KindPermanent, Meaning: "Ansible does not know an option"},
	8:   {Kind: target.KindTemporary, Meaning: "a task failed on a host"},
	99:  {Kind: target.KindTemporary, Meaning: "it was interrupted"},
	250: {Kind: target.KindPermanent, Meaning: "an error that Ansible did not expect"},
}

func exitMeaning(code int, printed *program.Output) share.Exit {
	// One code for two things, and one of them no later try will mend.
	if code == 4 && neverRan(printed) {
		return share.Exit{Kind: target.KindPermanent, Meaning: "the playbook cannot be read"}
	}
	return cmp.Or(exitCodes[code], share.Exit{Kind: target.KindPermanent, Meaning: "an exit code that Ansible does not document"})
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
