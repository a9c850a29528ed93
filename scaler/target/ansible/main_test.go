package ansible

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-kit/log"
	"go.yaml.in/yaml/v3"

	"github.com/alertscaler/alertscaler/scaler/realtest"
	"github.com/alertscaler/alertscaler/scaler/target"
)

func TestMain(m *testing.M) { os.Exit(testMain(m)) }

func testMain(m *testing.M) int {
	if dir := os.Getenv(serveEnv); dir != "" {
		return serve(dir)
	}
	return m.Run()
}

// serveEnv makes the test binary a server of its own: it scales the site that
// it names to 3, prints the pid of the playbook, and waits to be killed.
const serveEnv = "ALERTSCALER_TEST_SERVE"

func serve(dir string) int {
	cfg := NewConfig().(*Config)
	cfg.Playbook, cfg.Inventory, cfg.Current.Group = "scale.yml", "hosts.sh", "web"
	cfg.SetDirectory(dir)
	cfg.ExtraVars = map[string]any{"password": "s3cret-of-the-playbook"}
	p := newPlaybook(cfg, target.Options{Policy: "shop", Name: "web"})
	p.acceptAfter = time.Minute
	r, err := p.start(context.Background(), "scale", 3)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	fmt.Println(r.group.Pid())
	select {}
}

// site is a directory with a playbook, a dynamic inventory whose group web has
// as many hosts as its file count says, and a slow way to count those ready.
type site struct{ dir string }

// tasksOf is a playbook of the given tasks on this host.
func tasksOf(tasks string) string {
	return "- hosts: localhost\n  connection: local\n  gather_facts: false\n  tasks:\n" + tasks
}

// setCount is the task that scales a site.
const setCount = `
    - name: set the number of hosts
      ansible.builtin.copy:
        dest: "{{ playbook_dir }}/count"
        content: "{{ alertscaler_desired_replicas }}\n"
`

const (
	// inventoryScript prints as many hosts as the file count says.
	inventoryScript = `#!/bin/sh
cd "$(dirname "$0")" || exit 1
n=$(cat count) || exit 1
hosts=
i=0
while [ "$i" -lt "$n" ]; do i=$((i + 1)); hosts="$hosts${hosts:+, }\"web$i\""; done
echo "{\"web\": {\"hosts\": [$hosts]}, \"_meta\": {\"hostvars\": {}}}"
`
	// readyScript prints the count, and 0 the first time it sees a new one:
	// what takes a second and more is counted again after that.
	readyScript = `#!/bin/sh
cd "$(dirname "$0")" || exit 1
if cmp -s count seen; then cat count; else cp count seen && echo 0; fi
`
)

// Programs in place of Ansible's own, for tests of what is around these: a run
// of the real ones takes one to two seconds of computing.
const (
	// standIns do what a site's playbook and inventory do: one sets the count
	// that it was given, the other prints what the inventory's script does.
	standIns = "ansible_playbook: bin/ansible-playbook"
	// realPlaybook runs the real playbook beside the other inventory.
	realPlaybook = "ansible_playbook: real/ansible-playbook"

	playbookStandIn = `#!/bin/sh
for arg; do
  case $arg in --extra-vars=@*) vars=${arg#*=@} ;; esac
done
desired=$(sed -n 's/^"alertscaler_desired_replicas": //p' "$vars") && cd "$(dirname "$arg")" && [ -n "$desired" ] || exit 1
echo "$desired" >count.new && mv count.new count
`
	inventoryStandIn = `#!/bin/sh
for arg; do
  case $arg in --inventory=*) exec "${arg#*=}" --list ;; esac
done
exit 1
`
)

func newSite(t testing.TB, tasks string) site {
	t.Helper()
	s := site{t.TempDir()}
	for _, dir := range []string{"bin", "real"} {
		if err := os.Mkdir(s.path(dir), 0o755); err != nil {
			t.Fatal(err)
		}
		s.write(t, dir+"/ansible-inventory", inventoryStandIn, 0o755)
	}
	s.write(t, "bin/ansible-playbook", playbookStandIn, 0o755)
	s.write(t, "real/ansible-playbook", "#!/bin/sh\nexec ansible-playbook \"$@\"\n", 0o755)
	s.write(t, "scale.yml", tasksOf(tasks), 0o644)
	s.write(t, "hosts.sh", inventoryScript, 0o755)
	s.write(t, "ready.sh", readyScript, 0o755)
	s.set(t, 1)
	return s
}

func (s site) path(name string) string { return filepath.Join(s.dir, name) }

func (s site) write(t testing.TB, name, content string, mode os.FileMode) {
	t.Helper()
	if err := os.WriteFile(s.path(name), []byte(content), mode); err != nil {
		t.Fatal(err)
	}
}

// set changes the number of hosts past the code under test, at once.
func (s site) set(t testing.TB, n int) {
	t.Helper()
	s.write(t, "count.new", strconv.Itoa(n)+"\n", 0o644)
	if err := os.Rename(s.path("count.new"), s.path("count")); err != nil {
		t.Fatal(err)
	}
}

// count is the number of hosts.
func (s site) count(t testing.TB) int {
	t.Helper()
	b, err := os.ReadFile(s.path("count"))
	if err != nil {
		t.Fatal(err)
	}
	n, err := strconv.Atoi(strings.TrimSpace(string(b)))
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// config is that of the site's group, with keys of YAML changed or added.
func (s site) config(t testing.TB, changes string) *Config {
	t.Helper()
	cfg := NewConfig().(*Config)
	if err := decode(cfg, "{ playbook: scale.yml, inventory: hosts.sh, current: { group: web } }"); err != nil {
		t.Fatal(err)
	}
	if changes != "" {
		type plain Config
		if err := yaml.Unmarshal([]byte(changes), (*plain)(cfg)); err != nil {
			t.Fatal(err)
		}
	}
	cfg.SetDirectory(s.dir)
	return cfg
}

// decode is how the server decodes a platform's part of its configuration.
func decode(cfg target.Config, text string) error {
	dec := yaml.NewDecoder(bytes.NewBufferString(text))
	dec.KnownFields(true)
	return dec.Decode(cfg)
}

// build builds a target that the caller closes. Its runs are given as long as
// a busy machine takes for them.
func build(t testing.TB, cfg *Config) *playbook {
	t.Helper()
	if filepath.Base(filepath.Dir(cfg.AnsiblePlaybook)) != "bin" {
		realtest.Tool(t, "ansible-playbook")
	}
	tgt, err := cfg.New(target.Options{Policy: "shop", Name: "web", Logger: log.NewLogfmtLogger(newTestLog(t))})
	if err != nil {
		t.Fatal(err)
	}
	p := tgt.(*playbook)
	p.acceptAfter = 45 * time.Second
	return p
}

// open builds a target that the test's end closes. Its runs are accepted
// early.
func open(t testing.TB, cfg *Config) *playbook {
	t.Helper()
	if err := cfg.Validate(); err != nil {
		t.Fatal(err)
	}
	p := build(t, cfg)
	p.acceptAfter = 50 * time.Millisecond
	t.Cleanup(func() { closeTarget(t, p) })
	return p
}

func closeTarget(t testing.TB, p target.Closer) {
	t.Helper()
	if err := p.Close(); err != nil {
		t.Error(err)
	}
}

// current reads the target.
func current(t testing.TB, tgt target.Target) target.State {
	t.Helper()
	st, err := tgt.Current(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return st
}

// hasten has the time by which counts and listings grow old run a hundred times
// as fast. It must be called before the first reading.
func hasten(tgt target.Target) {
	began := time.Now()
	now := func() time.Time { return began.Add(100 * time.Since(began)) }
	switch tgt := tgt.(type) {
	case *playbook:
		tgt.current.now = now
		if tgt.listing != nil {
			tgt.listing.now = now
		}
	case *jobTemplate:
		tgt.current.now = now
	}
}

// settled waits for the end of a run that was accepted.
func settled(t testing.TB, p *playbook) target.State {
	t.Helper()
	realtest.Eventually(t, time.Minute, 50*time.Millisecond, "the run has ended", func() error {
		p.requests.mu.Lock()
		defer p.requests.mu.Unlock()
		if p.requests.last == nil || p.requests.last.ended.IsZero() {
			return fmt.Errorf("it is %+v", p.requests.last)
		}
		return nil
	})
	return current(t, p)
}

// wantError wants a kind and words.
func wantError(t testing.TB, err error, kind target.Kind, words ...string) {
	t.Helper()
	if got := target.KindOf(err); got != kind {
		t.Errorf("%v: kind %q, want %q", err, got, kind)
	}
	for _, w := range words {
		if err != nil && !strings.Contains(err.Error(), w) {
			t.Errorf("the error does not say %q: %v", w, err)
		}
	}
}

// testLog is the log of the test, as long as that runs.
type testLog struct {
	mu   sync.Mutex
	t    testing.TB
	done bool
}

func newTestLog(t testing.TB) *testLog {
	l := &testLog{t: t}
	t.Cleanup(func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		l.done = true
	})
	return l
}

func (l *testLog) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.done {
		l.t.Log(strings.TrimSpace(string(p[:min(len(p), 2000)])))
	}
	return len(p), nil
}

func contextOf(t testing.TB) (context.Context, context.CancelFunc) {
	return context.WithCancel(t.Context())
}
