package ansible

import (
	"errors"
	"os"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/prometheus/common/model"

	"github.com/alertscaler/alertscaler/scaler/realtest"
	"github.com/alertscaler/alertscaler/scaler/target"
)

// hangs is a task that leaves its pid and does not end.
const hangs = `
    - name: wait for ever
      ansible.builtin.shell:
        cmd: echo $$ >pid && exec sleep 1000
        chdir: "{{ playbook_dir }}"
`

const fails = `
    - name: order hosts
      ansible.builtin.fail:
        msg: the provider has no hosts today
`

func TestPlaybookHangs(t *testing.T) {
	t.Parallel()
	s := newSite(t, hangs+setCount)
	p := open(t, s.config(t, realPlaybook+"\ntimeout: 20s"))
	// A busy machine takes longer than that to begin with.
	timedOut := make(chan time.Time)
	p.after = func(time.Duration) <-chan time.Time { return timedOut }
	if err := p.Scale(t.Context(), 3); err != nil {
		t.Fatal(err)
	}
	if st := current(t, p); st.Requested != 3 || st.Ready != 1 || st.Failed != nil {
		t.Errorf("%+v during the run, want 3 requested, 1 ready", st)
	}
	wantError(t, p.Scale(t.Context(), 3), target.KindNoOp, "under way")
	wantError(t, p.Scale(t.Context(), 4), target.KindConflict, "a run to 3 is under way")
	pid := waitPID(t, s)
	close(timedOut)
	st := settled(t, p)
	wantGone(t, pid)
	if st.Requested != 1 || s.count(t) != 1 {
		t.Errorf("%+v after the run was ended, %d hosts, want the 1 that there is", st, s.count(t))
	}
	wantError(t, st.Failed, target.KindTemporary, "scale web to 3", "longer than 20s", "wait for ever")

	// What was told is no obstacle to the next run.
	p.after = time.After
	p.cfg.Timeout = model.Duration(5 * time.Minute)
	p.cfg.AnsiblePlaybook = s.path("bin/ansible-playbook")
	if err := p.Scale(t.Context(), 2); err != nil {
		t.Fatal(err)
	}
	if st := settled(t, p); st.Requested != 2 || st.Failed != nil {
		t.Errorf("%+v after a run that went well", st)
	}
}

func TestPlaybookFailsAtOnce(t *testing.T) {
	t.Parallel()
	s := newSite(t, fails)
	p := open(t, s.config(t, realPlaybook))
	p.acceptAfter = time.Minute
	wantError(t, p.Scale(t.Context(), 3), target.KindTemporary, "scale web to 3", "exit status 2", "no hosts today")
	if st := current(t, p); st.Requested != 1 || st.Failed != nil {
		t.Errorf("%+v after an error that Scale has returned", st)
	}
	p.cfg.AnsiblePlaybook = s.path("bin/ansible-playbook")
	if err := p.Scale(t.Context(), 3); err != nil {
		t.Errorf("the next run: %v", err)
	}
}

func TestPlaybookFailsLater(t *testing.T) {
	t.Parallel()
	s := newSite(t, fails)
	s.write(t, "bin/ansible-playbook", "#!/bin/sh\nsleep 0.2\necho the provider has no hosts today\nexit 2\n", 0o755)
	p := open(t, s.config(t, standIns))
	if err := p.Scale(t.Context(), 3); err != nil {
		t.Fatal(err)
	}
	st := settled(t, p)
	if st.Requested != 1 {
		t.Errorf("%+v, want what there is", st)
	}
	wantError(t, st.Failed, target.KindTemporary, "no hosts today")
	if st := current(t, p); st.Failed == nil {
		t.Error("the failure is gone before the next request")
	}
}

// TestFailureAnswersScale is for a caller who asks again without having read.
func TestFailureAnswersScale(t *testing.T) {
	t.Parallel()
	s := newSite(t, "    - not_a_module_at_all: {}\n")
	p := open(t, s.config(t, realPlaybook))
	if err := p.Scale(t.Context(), 3); err != nil {
		t.Fatal(err)
	}
	<-p.runEnded()
	wantError(t, p.Scale(t.Context(), 3), target.KindPermanent, "scale web to 3", "the run before it", "not_a_module_at_all")
	p.cfg.AnsiblePlaybook = s.path("bin/ansible-playbook")
	if err := p.Scale(t.Context(), 3); err != nil {
		t.Error(err)
	}
}

// runEnded waits, in its goroutine, for the run under way.
func (p *playbook) runEnded() <-chan struct{} {
	done := make(chan struct{})
	go func() { defer close(done); p.running.Wait() }()
	return done
}

func TestPermanentErrors(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name    string
		changes string
		ruin    func(t *testing.T, s site)
		kind    target.Kind
		words   []string
	}{
		{"syntax error", realPlaybook, func(t *testing.T, s site) { s.write(t, "scale.yml", "- hosts: [", 0o644) }, target.KindPermanent, []string{"exit status 4", "cannot be read"}},
		{"playbook gone", "", func(_ *testing.T, s site) { os.Remove(s.path("scale.yml")) }, target.KindPermanent, []string{"the playbook is gone"}},
		{"inventory gone", "", func(_ *testing.T, s site) { os.Remove(s.path("hosts.sh")) }, target.KindPermanent, []string{"the inventory is gone"}},
		{"inventory broken", "", func(_ *testing.T, s site) { os.Remove(s.path("count")) }, target.KindTemporary, []string{"ansible-inventory", "count"}},
		{"no Ansible", "{ ansible_playbook: no-such-ansible-playbook, current: { group: '', command: [cat, count] } }", nil, target.KindPermanent, []string{"install ansible-core"}},
		{"no Ansible beside", "ansible_playbook: ./ansible-playbook", nil, target.KindPermanent, []string{"install ansible-core"}},
		{"host unreachable", "{ inventory: 'far,', current: { group: '', command: [cat, count] } }", func(t *testing.T, s site) {
			s.write(t, "scale.yml", "- hosts: all\n  gather_facts: false\n  vars: { ansible_host: 127.0.0.1, ansible_port: 1 }\n  tasks: [ ansible.builtin.ping: ]\n", 0o644)
		}, target.KindTemporary, []string{"exit status 4", "a host is unreachable"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			s := newSite(t, setCount)
			p := open(t, s.config(t, test.changes))
			p.acceptAfter = time.Minute
			if test.ruin != nil {
				test.ruin(t, s)
			}
			wantError(t, p.Scale(t.Context(), 3), test.kind, test.words...)
		})
	}
}

// TestPlaybookThatChangesNothing ends well all the same.
func TestPlaybookThatChangesNothing(t *testing.T) {
	t.Parallel()
	s := newSite(t, "")
	s.write(t, "bin/ansible-playbook", "#!/bin/sh\n", 0o755)
	p := open(t, s.config(t, standIns))
	p.acceptAfter = time.Minute
	if err := p.Scale(t.Context(), 3); err != nil {
		t.Fatal(err)
	}
	if st := current(t, p); st.Requested != 3 || st.Failed != nil {
		t.Errorf("%+v, want the inventory to be given time", st)
	}
	p.requests.mu.Lock()
	p.requests.last.ended = time.Now().Add(-visibleWithin - time.Second)
	p.requests.mu.Unlock()
	st := current(t, p)
	if st.Requested != 1 {
		t.Errorf("%+v, want what there is", st)
	}
	wantError(t, st.Failed, target.KindTemporary, "does not set what `current` counts")
}

// TestHundredMegabytes of output cost a few kilobytes of memory, and the end
// of it is in the error.
func TestHundredMegabytes(t *testing.T) {
	s := newSite(t, "")
	s.write(t, "bin/ansible-playbook", `#!/bin/sh
yes 'ok: [localhost] => {"msg": "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"}' | head -c 100000000
echo 'fatal: [localhost]: FAILED! => {"msg": "the provider has no hosts today"}'
echo 'PLAY RECAP *********'
exit 2
`, 0o755)
	p := open(t, s.config(t, standIns+"\nmax_output: 16KiB"))
	p.acceptAfter = 5 * time.Minute
	if _, err := p.Current(t.Context()); err != nil {
		t.Fatal(err)
	}
	peak := peakHeap()
	err := p.Scale(t.Context(), 3)
	if grown := peak(); grown > 8<<20 {
		t.Errorf("the heap grew by %d bytes", grown)
	}
	wantError(t, err, target.KindTemporary, "no hosts today", "PLAY RECAP", "it printed 1000")
	if n := len(err.Error()); n > 3*maxErrorOutput {
		t.Errorf("an error of %d bytes", n)
	}
	if st := current(t, p); st.Requested != 1 {
		t.Errorf("%+v, want what there is", st)
	}
}

// peakHeap watches the heap and returns by how much it grew at most.
func peakHeap() func() int64 {
	heap := func() int64 {
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return int64(m.HeapAlloc)
	}
	runtime.GC()
	before, peak, stop := heap(), int64(0), make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() {
		for {
			select {
			case <-stop:
				return
			case <-time.After(20 * time.Millisecond):
				peak = max(peak, heap())
			}
		}
	})
	return func() int64 {
		close(stop)
		wg.Wait()
		return peak - before
	}
}

// TestValuesAreData runs a playbook for names and reasons that Ansible would
// carry out if they were text of a playbook.
func TestValuesAreData(t *testing.T) {
	t.Parallel()
	s := newSite(t, `
    - name: write what came
      ansible.builtin.copy:
        dest: "{{ playbook_dir }}/seen"
        content: "{{ [alertscaler_policy, alertscaler_target, alertscaler_reason, alertscaler_desired_replicas, alertscaler_current_replicas, list, text] | to_json }}"
`+setCount)
	p := open(t, s.config(t, realPlaybook+`
extra_vars: { list: [1, two], text: "{{ list | length }}" }`))
	p.acceptAfter = time.Minute
	p.options.Name = `{{ lookup('pipe', 'touch ` + s.path("pwned") + `') }}`
	ctx := target.WithRequest(t.Context(), target.Request{Policy: `$(touch ` + s.path("pwned") + `)`, Reason: "scaled_up \u2028 \"' <", From: 1})
	if err := p.Scale(ctx, 2); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(s.path("pwned")); err == nil {
		t.Error("a value was carried out")
	}
	b, err := os.ReadFile(s.path("seen"))
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{`["$(touch `, `"{{ lookup('pipe', 'touch `, "scaled_up ", `\"' <"`, `, 2, 1, [1, "two"], "2"]`} {
		if !strings.Contains(string(b), want) {
			t.Errorf("the playbook saw %s, want %s in it", b, want)
		}
	}
}

// TestCloseEndsTheRun with all that it started.
func TestCloseEndsTheRun(t *testing.T) {
	t.Parallel()
	s := newSite(t, hangs+setCount)
	p := build(t, s.config(t, realPlaybook))
	p.acceptAfter = 50 * time.Millisecond
	if err := p.Scale(t.Context(), 3); err != nil {
		t.Fatal(err)
	}
	pid := waitPID(t, s)
	closeTarget(t, p)
	wantGone(t, pid)
	if err := p.Scale(t.Context(), 2); err == nil {
		t.Error("a closed target was scaled")
	}
	// A restarted server finds what there is.
	if st := current(t, open(t, s.config(t, standIns))); st.Requested != 1 || st.Ready != 1 || st.Failed != nil {
		t.Errorf("%+v after a restart, want 1", st)
	}
}

// TestCancelledCallLeavesTheRun under way, and Current tells of it.
func TestCancelledCallLeavesTheRun(t *testing.T) {
	t.Parallel()
	s := newSite(t, setCount)
	s.write(t, "bin/ansible-playbook", strings.Replace(playbookStandIn, "\n", "\nwhile ! [ -e "+s.path("go")+" ]; do sleep 0.02; done\n", 1), 0o755)
	p := open(t, s.config(t, standIns))
	p.acceptAfter = time.Minute
	ctx, cancel := contextOf(t)
	go func() {
		for !p.underWay() {
			time.Sleep(10 * time.Millisecond)
		}
		cancel()
	}()
	err := p.Scale(ctx, 3)
	wantError(t, err, target.KindTemporary)
	if !target.IsTimeout(err) {
		t.Errorf("%v, want the caller's own cancellation in it", err)
	}
	if n := s.count(t); n != 1 {
		t.Errorf("%d hosts before the run may end", n)
	}
	s.write(t, "go", "", 0o644)
	if st := settled(t, p); st.Requested != 3 || s.count(t) != 3 {
		t.Errorf("%+v, want the run to have gone on", st)
	}
}

func (p *playbook) underWay() bool {
	p.requests.mu.Lock()
	defer p.requests.mu.Unlock()
	return p.requests.last != nil && p.requests.last.ended.IsZero()
}

// waitPID waits for the pid that a playbook wrote.
func waitPID(t testing.TB, s site) (pid int) {
	t.Helper()
	realtest.Eventually(t, time.Minute, 20*time.Millisecond, "the task runs", func() error {
		b, err := os.ReadFile(s.path("pid"))
		if err == nil {
			pid, err = strconv.Atoi(strings.TrimSpace(string(b)))
		}
		return err
	})
	return pid
}

func wantGone(t testing.TB, pid int) {
	t.Helper()
	realtest.Eventually(t, 10*time.Second, 20*time.Millisecond, "the process is gone", func() error {
		if err := syscall.Kill(pid, 0); err == nil {
			return errors.New("it runs")
		}
		return nil
	})
}
