package ansible

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/alertscaler/alertscaler/scaler/program"
	"github.com/alertscaler/alertscaler/scaler/realtest"
	"github.com/alertscaler/alertscaler/scaler/target"
)

func TestParseCounts(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"3\n":                                   "{3 3} true",
		" 0 ":                                   "{0 0} true",
		`{"requested": 3, "ready": 2}`:          "{3 2} true",
		`{"requested":3,"ready":2,"zone":"a"}`:  "{3 2} true",
		"":                                      "{0 0} false",
		"-1":                                    "{0 0} false",
		"3.5":                                   "{0 0} false",
		"three":                                 "{0 0} false",
		"3 4":                                   "{0 0} false",
		"null":                                  "{0 0} false",
		`{}`:                                    "{0 0} false",
		`{"requested": 3}`:                      "{0 0} false",
		`{"requested": null, "ready": 2}`:       "{0 0} false",
		`{"requested": -3, "ready": 2}`:         "{0 0} false",
		`{"requested": 3, "ready": 2} trailing`: "{0 0} false",
	} {
		n, ok := parseCounts([]byte(text))
		if got := fmt.Sprint(n, ok); got != want {
			t.Errorf("%q: %s, want %s", text, got, want)
		}
	}
}

func TestCommandSaysWhatWasWrong(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name, script string
		kind         target.Kind
		words        []string
	}{
		{"no number", "echo about three", target.KindTemporary, []string{`printed "about three"`, "one whole number"}},
		{"nothing", "true", target.KindTemporary, []string{`printed ""`}},
		{"fails", "echo 3; echo no credentials >&2; exit 7", target.KindTemporary, []string{"exit status 7", "no credentials"}},
		{"fails without a word", "exit 7", target.KindTemporary, []string{"it printed nothing"}},
		{"too much", "yes | head -c 1000000", target.KindTemporary, []string{"more than 65536 bytes", `"y\ny`}},
		{"killed", "kill -9 $$", target.KindTemporary, []string{"signal: killed"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			c := &counter{environment: environment{t.TempDir(), program.Environ(nil, nil)}, argv: []string{"sh", "-c", test.script}}
			n, err := c.read(t.Context(), "count web", time.Time{})
			if n != (counts{}) {
				t.Errorf("%+v beside an error", n)
			}
			wantError(t, err, test.kind, append(test.words, "count web")...)
		})
	}
	c := &counter{environment: environment{env: program.Environ(nil, nil)}, argv: []string{"no-such-program"}}
	_, err := c.read(t.Context(), "count web", time.Time{})
	wantError(t, err, target.KindPermanent, "no-such-program")
}

// TestCommandIsEndedWithWhatItStarted once its caller has no more time.
func TestCommandIsEndedWithWhatItStarted(t *testing.T) {
	t.Parallel()
	s := site{t.TempDir()}
	c := &counter{environment: environment{s.dir, program.Environ(nil, map[string]string{"PAUSE": "1000"})}, argv: []string{"sh", "-c", "sleep $PAUSE & echo $! >pid.new; mv pid.new pid; wait"}}
	ctx, cancel := context.WithCancel(t.Context())
	var pid int
	go func() { defer cancel(); pid = waitPID(t, s) }()
	_, err := c.read(ctx, "count web", time.Time{})
	if !target.IsTimeout(err) {
		t.Errorf("%v, want the caller's cancellation", err)
	}
	wantGone(t, pid)
}

func TestInventories(t *testing.T) {
	t.Parallel()
	inventoryProgram := realtest.Tool(t, "ansible-inventory")
	s := site{t.TempDir()}
	if err := os.Mkdir(s.path("dir"), 0o755); err != nil {
		t.Fatal(err)
	}
	for name, content := range map[string]string{
		"hosts.ini": "[web]\nweb[1:3]\n[db]\ndb1\nweb1\n[all_sites:children]\nweb\ndb\n[empty]\n",
		"hosts.yml": "all: { children: { web: { hosts: { a: , b: } } } }\n",
		"dir/one":   "[web]\na\n",
		"dir/two":   "[web]\na\nb\n",
		"hosts.sh": `#!/bin/sh
echo '{"web": ["a", "b"], "site": {"children": ["web", "more"]}, "more": {"hosts": ["b", "c"]}, "_meta": {"hostvars": {"a": {"x": 1}}}}'
`,
		"broken.sh": "#!/bin/sh\nexit 3\n",
	} {
		mode := os.FileMode(0o644)
		if strings.HasSuffix(name, ".sh") {
			mode = 0o755
		}
		s.write(t, name, content, mode)
	}
	e := newPlaybook(&Config{Playbook: s.path("scale.yml")}, target.Options{}).environment
	var all Inventories // each is listed once for all that is asked of it
	for _, test := range []struct{ name, inventory, group, want string }{
		{"static", "hosts.ini", "web", "3"},
		{"of another", "hosts.ini", "db", "2"},
		{"parent", "hosts.ini", "all_sites", "4"},
		{"all", "hosts.ini", "all", "4"},
		{"empty", "hosts.ini", "empty", "0"},
		{"none", "hosts.ini", "nobody", "not_found"},
		{"yaml", "hosts.yml", "web", "2"},
		{"directory", "dir", "web", "2"},
		{"dynamic", "hosts.sh", "web", "2"},
		{"dynamic parent", "hosts.sh", "site", "3"},
		{"list of hosts", "a,b,c", "all", "3"},
		{"broken", "broken.sh", "all", "temporary"},
		{"missing", "elsewhere.ini", "all", "permanent"},
	} {
		l, release := all.get(e, inventoryProgram, inventoryPath(s, test.inventory))
		t.Cleanup(release)
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			g := &group{hosts: func(ctx context.Context, op string, since time.Time) (int, error) {
				return l.hosts(ctx, op, test.group, since)
			}}
			n, err := g.read(t.Context(), "count "+test.group, time.Time{})
			got := strconv.Itoa(n.requested)
			if err != nil {
				got = string(target.KindOf(err))
			}
			if got != test.want || (err == nil && n.ready != n.requested) {
				t.Errorf("%+v, %v: %s, want %s", n, err, got, test.want)
			}
		})
	}
}

// inventoryPath is where the site has an inventory, unless that is a list of
// hosts.
func inventoryPath(s site, inventory string) string {
	if hostList(inventory) {
		return inventory
	}
	return s.path(inventory)
}

// slowSource takes its time and counts who asks.
type slowSource struct {
	asked atomic.Int64
	takes time.Duration
}

func (s *slowSource) read(ctx context.Context, _ string, _ time.Time) (counts, error) {
	n := int(s.asked.Add(1))
	select {
	case <-time.After(s.takes):
	case <-ctx.Done():
	}
	return counts{n, n}, nil
}

func TestCached(t *testing.T) {
	t.Parallel()
	s := &slowSource{takes: 50 * time.Millisecond}
	c := newCached(s)
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			if n, err := c.read(t.Context(), "", false); err != nil || n != (counts{1, 1}) {
				t.Errorf("%+v, %v", n, err)
			}
		})
	}
	wg.Wait()
	// What is asked while something ends may be from before its end.
	c.forget()
	wg.Go(func() { _, _ = c.read(t.Context(), "", false) })
	for s.asked.Load() < 2 {
		time.Sleep(time.Millisecond)
	}
	c.forget()
	wg.Wait()
	if n, _ := c.read(t.Context(), "", false); n.requested != 3 {
		t.Errorf("%+v, want it to be asked again", n)
	}
	// Reads that take longer than they stay fresh are shared all the same.
	c.forget()
	s.asked.Store(0)
	s.takes = fresh + 200*time.Millisecond
	for range 8 {
		wg.Go(func() { _, _ = c.read(t.Context(), "", false) })
	}
	wg.Wait()
	if n := s.asked.Load(); n > 2 {
		t.Errorf("asked %d times for 8 at once", n)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := c.read(ctx, "count", false); !target.IsTimeout(err) {
		t.Errorf("%v, want the caller's cancellation", err)
	}
}

// TestVarsArePrivate: they are in a pipe that nobody else can read, whose name
// is gone with the first reader.
func TestVarsArePrivate(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	content, err := varsFile(map[string]any{"key": "secret"}, map[string]any{"alertscaler_target": "web"})
	if err != nil {
		t.Fatal(err)
	}
	p, err := newPipe(content)
	if err != nil {
		t.Fatal(err)
	}
	defer p.close()
	fi, err := os.Stat(p.path)
	if err != nil || fi.Mode() != os.ModeNamedPipe|0o600 {
		t.Errorf("%v, %v, want a pipe that nobody else can read", fi.Mode(), err)
	}
	b, err := os.ReadFile(p.path)
	if err != nil || !strings.Contains(string(b), `"key": "secret"`) || !strings.Contains(string(b), `"alertscaler_target": !unsafe "web"`) {
		t.Errorf("it has %s, %v", b, err)
	}
	if _, err := os.Stat(p.path); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("it is there once it was read: %v", err)
	}
}
