package ansible

import (
	"bufio"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/alertscaler/alertscaler/scaler/realtest"
)

// TestServerIsKilled in the middle of a run: the playbook does not go on
// without it, and the next server finds what there is.
func TestServerIsKilled(t *testing.T) {
	t.Parallel()
	realtest.Tool(t, "ansible-playbook")
	s := newSite(t, `
    - name: wait for a word
      ansible.builtin.shell:
        cmd: touch started; while ! [ -e go ]; do sleep 0.05; done
        chdir: "{{ playbook_dir }}"
`+setCount)
	server := exec.Command(os.Args[0])
	server.Env = append(os.Environ(), serveEnv+"="+s.dir)
	server.Stderr = os.Stderr
	out, err := server.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	pid, err := strconv.Atoi(strings.TrimSpace(line))
	if err != nil {
		t.Fatal(err)
	}
	realtest.Eventually(t, 2*time.Minute, 20*time.Millisecond, "the playbook runs", func() error {
		_, err := os.Stat(s.path("started"))
		return err
	})
	_ = server.Process.Kill()
	_ = server.Wait()
	wantGone(t, pid)
	// Whatever were left of it would go on now.
	s.write(t, "go", "", 0o644)
	time.Sleep(time.Second)
	p := open(t, s.config(t, standIns))
	if st := current(t, p); st.Requested != 1 || s.count(t) != 1 {
		t.Errorf("%+v after the server was killed, want the 1 there is", st)
	}
}

// TestServerIsKilledAndLeavesNothing: what a playbook was given is nowhere once
// the server is killed, not even while the playbook runs.
func TestServerIsKilledAndLeavesNothing(t *testing.T) {
	t.Parallel()
	realtest.Tool(t, "ansible-playbook")
	s := newSite(t, `
    - name: wait for ever
      ansible.builtin.shell:
        cmd: echo "$PPID {{ password | length }}" >pid.new && mv pid.new pid && exec sleep 1000
        chdir: "{{ playbook_dir }}"
`)
	tmp := t.TempDir()
	server := exec.Command(os.Args[0])
	server.Env = append(os.Environ(), serveEnv+"="+s.dir, "TMPDIR="+tmp)
	server.Stderr = os.Stderr
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	realtest.Eventually(t, 2*time.Minute, 20*time.Millisecond, "the playbook runs", func() error {
		b, err := os.ReadFile(s.path("pid"))
		if err == nil && !strings.HasSuffix(string(b), " 22\n") {
			t.Errorf("the playbook was given a password of another length: %q", b)
		}
		return err
	})
	nothing := func(when string) {
		t.Helper()
		err := filepath.WalkDir(tmp, func(path string, d fs.DirEntry, err error) error {
			if err != nil {
				return nil //nolint:nilerr // Ansible's own files come and go
			}
			if strings.HasPrefix(d.Name(), "alertscaler") {
				t.Errorf("%s: there is %s", when, path)
			}
			if d.Type().IsRegular() {
				if b, _ := os.ReadFile(path); strings.Contains(string(b), "s3cret-of") {
					t.Errorf("%s: %s has the password", when, path)
				}
			}
			return nil
		})
		if err != nil {
			t.Error(err)
		}
	}
	nothing("while it runs")
	_ = server.Process.Kill()
	_ = server.Wait()
	nothing("after the server was killed")
}

// TestProgramReadsNoVariables: one that ends without having read them, or is
// not there, leaves no pipe and nobody who waits.
func TestProgramReadsNoVariables(t *testing.T) {
	tmp := t.TempDir()
	t.Setenv("TMPDIR", tmp)
	for name, script := range map[string]string{"ends": "#!/bin/sh\nexit 0\n", "reads a part": "#!/bin/sh\nfor a; do case $a in --extra-vars=@*) head -c 10 \"${a#*@}\"; esac; done\n"} {
		s := newSite(t, "")
		s.write(t, "ansible-playbook", script, 0o755)
		cfg := s.config(t, "{ ansible_playbook: ./ansible-playbook, current: { group: '', command: [cat, count] } }")
		cfg.ExtraVars = map[string]any{"much": strings.Repeat("x", 1<<20)}
		p := open(t, cfg)
		p.acceptAfter = time.Minute
		if err := p.Scale(t.Context(), 3); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if left, _ := filepath.Glob(filepath.Join(tmp, "alertscaler*")); len(left) > 0 {
			t.Errorf("%s: %v are left", name, left)
		}
	}
}
