package main_test

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/alertscaler/alertscaler/scaler/ledger"
	"github.com/alertscaler/alertscaler/scaler/realtest"
)

// The playbooks of TestPlaybooksFail, before they are mended.
var faultyPlaybooks = map[string]string{
	"hangs": `
    - ansible.builtin.command: sleep 1000
`,
	"fails": `
    - ansible.builtin.fail: { msg: the provider has no hosts today }
`,
	"prints": `
    - ansible.builtin.debug: { msg: "{{ 'x' * 5000000 }}" }
      loop: "{{ range(20) | list }}"
      loop_control: { label: "{{ item }}" }
    - ansible.builtin.fail: { msg: the provider has no hosts today }
`,
}

const mendedPlaybook = `
    - ansible.builtin.copy: { content: "{{ alertscaler_desired_replicas }}", dest: "{{ playbook_dir }}/n", mode: "0644" }
`

// TestPlaybooksFail: a playbook that hangs, one that fails and one that prints
// 100 MB before it fails are each a failed action of a kind that is tried
// again, change nothing, and keep nobody from the right number once they are
// mended.
func TestPlaybooksFail(t *testing.T) {
	t.Parallel()
	realtest.Tool(t, "ansible-playbook")
	for name, tasks := range faultyPlaybooks {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			testPlaybookFails(t, name, tasks)
		})
	}
}

func testPlaybookFails(t *testing.T, name, tasks string) {
	dir := t.TempDir()
	write := func(file, content string) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(dir, file), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	playbook := func(tasks string) string {
		return "- hosts: localhost\n  connection: local\n  gather_facts: false\n  tasks:\n" + tasks
	}
	config := func(timeout string) string {
		return fmt.Sprintf(`
global: { evaluation_interval: 1s }
policies:
  - name: web
    min: 1
    max: 3
    alert_step: { up: 2, down: 1 }
    targets:
      - name: hosts
        ansible:
          playbook: %[1]s/scale.yml
          inventory: localhost,
          timeout: %[2]s
          current: { command: [cat, %[1]s/n] }
`, dir, timeout)
	}
	write("n", "1")
	write("scale.yml", playbook(tasks))
	timeout := "5m"
	if name == "hangs" {
		timeout = "15s"
	}
	s := startServer(t, config(timeout))
	s.fire("up", "web")
	realtest.Eventually(t, 3*time.Minute, 200*time.Millisecond, "the playbook has failed", func() error {
		if n := s.metric(`alertscaler_action_failures_total{policy="web",reason="temporary",target="hosts"}`); n == "0" {
			return fmt.Errorf("%s failures; %s", n, s.policy("web").Explanation)
		}
		return nil
	})
	// A busy machine takes longer than that for one that does not hang.
	write("scale.yml", playbook(mendedPlaybook))
	s.configure(config("5m"))
	if code, text := s.post("/-/reload", ""); code != http.StatusOK {
		t.Fatalf("reload: %d %s", code, text)
	}
	for _, kind := range []string{"permanent", "unauthorized", "quota", "not_converged"} {
		if n := s.metric(fmt.Sprintf(`alertscaler_action_failures_total{policy="web",reason=%q,target="hosts"}`, kind)); n != "0" {
			t.Errorf("%s failures of kind %s", n, kind)
		}
	}
	if n, err := os.ReadFile(filepath.Join(dir, "n")); err != nil || string(n) != "1" {
		t.Errorf("a playbook that failed set %q, %v, want the 1 that there was", n, err)
	}
	s.eventually(5*time.Minute, "what the alert asks for", "web", replicas(3))
	if n, err := os.ReadFile(filepath.Join(dir, "n")); err != nil || string(n) != "3" {
		t.Errorf("the playbook set %q, %v, want 3", n, err)
	}
	as := s.actions("web")
	// One that fails at once is superseded by the next, one that fails later
	// has failed.
	if len(as) < 2 || as[0].ErrorKind != "temporary" || as[0].State.Open() || as[len(as)-1].State != ledger.Converged {
		t.Fatalf("the ledger has %+v, want a failure first and what converged last", as)
	}
	for _, a := range as {
		if a.From != 1 || a.To != 3 {
			t.Errorf("an action from %d to %d, want all from 1 to 3", a.From, a.To)
		}
	}
}
