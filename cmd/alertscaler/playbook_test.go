package main_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/alertscaler/alertscaler/scaler/policy"
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
	dir := t.TempDir()
	write := func(name, file, content string) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(dir, name, file), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	playbook := func(tasks string) string {
		return "- hosts: localhost\n  connection: local\n  gather_facts: false\n  tasks:\n" + tasks
	}
	var config strings.Builder
	config.WriteString("global: { evaluation_interval: 1s }\npolicies:\n")
	for name, tasks := range faultyPlaybooks {
		if err := os.Mkdir(filepath.Join(dir, name), 0o700); err != nil {
			t.Fatal(err)
		}
		write(name, "n", "1")
		write(name, "scale.yml", playbook(tasks))
		timeout := "5m"
		if name == "hangs" {
			timeout = "15s"
		}
		fmt.Fprintf(&config, `
  - name: %[1]s
    min: 1
    max: 3
    alert_step: { up: 2, down: 1 }
    targets:
      - name: hosts
        ansible:
          playbook: %[2]s/%[1]s/scale.yml
          inventory: localhost,
          timeout: %[3]s
          current: { command: [cat, %[2]s/%[1]s/n] }
`, name, dir, timeout)
	}
	s := startServer(t, config.String())
	for name := range faultyPlaybooks {
		s.fire("up", name)
	}
	for name := range faultyPlaybooks {
		failed := fmt.Sprintf(`alertscaler_action_failures_total{policy=%q,reason="temporary",target="hosts"}`, name)
		realtest.Eventually(t, 3*time.Minute, 200*time.Millisecond, name+" has failed", func() error {
			if n := s.metric(failed); n == "0" {
				return fmt.Errorf("%s failures; %s", n, s.policy(name).Explanation)
			}
			return nil
		})
		st := s.policy(name)
		if st.Targets[0].Requested != 1 && st.Last.Reason == policy.ReasonTargetBackoff {
			t.Errorf("%s: %d are requested after a failure, want the 1 that there is", name, st.Targets[0].Requested)
		}
		for _, kind := range []string{"permanent", "unauthorized", "quota", "not_converged"} {
			if n := s.metric(fmt.Sprintf(`alertscaler_action_failures_total{policy=%q,reason=%q,target="hosts"}`, name, kind)); n != "0" {
				t.Errorf("%s: %s failures of kind %s", name, n, kind)
			}
		}
		write(name, "scale.yml", playbook(mendedPlaybook))
	}
	for name := range faultyPlaybooks {
		s.eventually(3*time.Minute, name+" has what the alert asks for", name, replicas(3))
		if n, err := os.ReadFile(filepath.Join(dir, name, "n")); err != nil || string(n) != "3" {
			t.Errorf("%s: the playbook set %q, %v, want 3", name, n, err)
		}
		if s := s.policy(name); s.Targets[0].Error != "" {
			t.Errorf("%s: %s", name, s.Targets[0].Error)
		}
	}
}
