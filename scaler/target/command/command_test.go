package command

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/prometheus/common/model"
	"go.yaml.in/yaml/v3"

	"github.com/alertscaler/alertscaler/scaler/realtest"
	"github.com/alertscaler/alertscaler/scaler/target"
	"github.com/alertscaler/alertscaler/scaler/target/targettest"
)

// load decodes and validates a configuration as the server does.
func load(t testing.TB, dir, text string) (*Config, error) {
	t.Helper()
	c := NewConfig().(*Config)
	dec := yaml.NewDecoder(bytes.NewBufferString(text))
	dec.KnownFields(true)
	if err := dec.Decode(c); err != nil {
		return nil, err
	}
	c.SetDirectory(dir)
	err := c.Validate()
	return c, err
}

func open(t testing.TB, dir, text string) target.Target {
	t.Helper()
	c, err := load(t, dir, text)
	if err != nil {
		t.Fatal(err)
	}
	tgt, err := c.New(target.Options{Policy: "web", Name: "local", ScaleTarget: "shop"})
	if err != nil {
		t.Fatal(err)
	}
	return tgt
}

func write(t testing.TB, path, content string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(content), 0o755); err != nil {
		t.Fatal(err)
	}
}

// pool is a directory with the two programs, whose number is in a file. It is
// what it is asked for once a start time has passed.
func pool(t testing.TB, start time.Duration, most int) string {
	t.Helper()
	dir := t.TempDir()
	write(t, filepath.Join(dir, "wanted"), "1\n")
	write(t, filepath.Join(dir, "count"), `#!/bin/sh
cd "$(dirname "$0")" || exit 78
wanted=$(cat wanted) || exit 66
if [ -n "$(find wanted -newermt "-`+strconv.FormatFloat(start.Seconds(), 'f', 3, 64)+` seconds")" ]; then ready=0; else ready=$wanted; fi
echo "{\"requested\": $wanted, \"ready\": $ready, \"max\": 0}"
`)
	write(t, filepath.Join(dir, "resize"), `#!/bin/sh
cd "$(dirname "$0")" || exit 78
if [ "$1" -gt `+strconv.Itoa(most)+` ]; then echo "no room for $1"; exit 69; fi
echo "$1" >wanted.$$ && mv wanted.$$ wanted
`)
	return dir
}

func TestConformance(t *testing.T) {
	t.Parallel()
	const text = `{ current: [./count], scale: [./resize, "{desired}"], current_timeout: 1m, scale_timeout: 1m }`
	targettest.Run(t, targettest.Harness{
		New:  func(t *testing.T) target.Target { return open(t, pool(t, 0, 1000), text) },
		Slow: func(t *testing.T) target.Target { return open(t, pool(t, time.Second, 1000), text) },
		Foreign: func(t *testing.T, tgt target.Target, n int) {
			dir := filepath.Dir(tgt.(*commands).cfg.Current[0])
			write(t, filepath.Join(dir, "new"), strconv.Itoa(n)+"\n")
			if err := os.Rename(filepath.Join(dir, "new"), filepath.Join(dir, "wanted")); err != nil {
				t.Fatal(err)
			}
		},
		Missing: func(t *testing.T) target.Target {
			return open(t, t.TempDir(), `{ current: [sh, -c, exit 66], scale: [sh, -c, "exit 66", "{desired}"] }`)
		},
		Forbidden: func(t *testing.T) target.Target {
			return open(t, t.TempDir(), `{ current: [sh, -c, exit 77], scale: [sh, -c, "exit 77", "{desired}"] }`)
		},
		Unreachable: func(t *testing.T) target.Target {
			return open(t, t.TempDir(), `{ current: [bash, -c, "exec 3<>/dev/tcp/127.0.0.1/1"], scale: ["false", "{desired}"] }`)
		},
		Hanging: func(t *testing.T) target.Target {
			return open(t, t.TempDir(), `{ current: [sleep, "1000"], scale: [sleep, "{desired}"], current_timeout: 1h }`)
		},
		Limited:     func(t *testing.T) (target.Target, int) { return open(t, pool(t, 0, 3), text), 3 },
		Converge:    30 * time.Second,
		Poll:        50 * time.Millisecond,
		CallTimeout: 30 * time.Second,
	})
}

func TestConfig(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ text, want string }{
		{`{ current: [echo, "1"], scale: [echo, "{desired}"] }`, ""},
		{`{ current: [echo, "1"], scale: [echo, "--to={desired}", "{current}", "{policy}/{target}", "{scale_target}"], scale_timeout: 2s, pass_env: ["AWS_*"], env: { A: b }, dir: / }`, ""},
		{`{ current: [awk, "{ print $1 }"], scale: [sh, -c, 'jq "{replicas: $1}"', sh, "{desired}"] }`, ""},
		{`{ scale: [echo, "{desired}"] }`, `current: must name a program, as in ["./count", "web"]`},
		{`{ current: [echo, "1"] }`, `scale: must name a program, as in ["./resize", "web", "{desired}"]`},
		{`{ current: [""], scale: [echo, "{desired}"] }`, "current: must name a program"},
		{`{ current: [echo, "1"], scale: [echo] }`, "scale: has no {desired} in its arguments"},
		{`{ current: [echo, "1"], scale: [echo, "{desird}"] }`, "scale: {desird} is not a placeholder; they are {desired},"},
		{`{ current: [echo, "{desired}"], scale: [echo, "{desired}"] }`, "current: {desired} is not a placeholder; they are {policy},"},
		{`{ current: [no-such-program], scale: [echo, "{desired}"] }`, `current: program "no-such-program" cannot be run: executable file not found in $PATH; it must be a file in PATH`},
		{`{ current: [echo], scale: [./no-such-program, "{desired}"] }`, "scale: program "},
		{`{ current: [echo, "1"], scale: [echo, "{desired}"], current_timeout: 0s }`, "current_timeout: must be longer than 0s"},
		{`{ current: [echo, "1"], scale: [echo, "{desired}"], scale_timeout: 0s }`, "scale_timeout: must be longer than 0s"},
		{`{ current: [echo, "1"], scale: [echo, "{desired}"], dir: /no/such/directory }`, "dir: stat /no/such/directory"},
		{`{ current: [echo, "1"], scale: [echo, "{desired}"], env: { "a=b": c } }`, `env: "a=b" is not the name`},
		{`{ current: [echo, "1"], scale: [echo, "{desired}"], pass_env: [A*B] }`, `pass_env: "A*B" is not the name`},
		{`{ current: [echo, "1"], scale: [echo, "{desired}"], timeout: 1s }`, "field timeout not found"},
	} {
		_, err := load(t, t.TempDir(), test.text)
		switch {
		case test.want == "" && err != nil:
			t.Errorf("%s: %s", test.text, err)
		case test.want != "" && (err == nil || !strings.Contains(err.Error(), test.want)):
			t.Errorf("%s: %v, want %q", test.text, err, test.want)
		}
	}
}

// TestIdentity: two policies must not own one thing, and words that name the
// policy make two things of it.
func TestIdentity(t *testing.T) {
	t.Parallel()
	identity := func(changes string) string {
		c, err := load(t, t.TempDir(), `{ current: [echo, "1"], scale: [echo, web, "{desired}"`+changes+` }`)
		if err != nil {
			t.Fatal(err)
		}
		return c.Identity()
	}
	same := identity("], current_timeout: 3s")
	if same == "" || same != identity("]") {
		t.Errorf("%q and %q for the same words", same, identity("]"))
	}
	for _, changes := range []string{", more]", "], dir: /", "], env: { A: secret }"} {
		if got := identity(changes); got == same || strings.Contains(got, "secret") {
			t.Errorf("%s: %q", changes, got)
		}
	}
	if got := identity(`, "{target}"]`); got != "" {
		t.Errorf("%q for words that name the target", got)
	}
}

func TestAnswers(t *testing.T) {
	t.Parallel()
	for printed, want := range map[string]string{
		"3":                            "{3 3 0 0}",
		" 3.0\n":                       "{3 3 0 0}",
		"0":                            "{0 0 0 0}",
		`{"requested": 5, "ready": 4}`: "{5 4 0 0}",
		`{"requested":5,"ready":4,"min":1,"max":9,"more":"x"}`: "{5 4 1 9}",
		`{"requested":5,"ready":4,"min":null}`:                 "{5 4 0 0}",
		"":                                                     "EOF",
		"three":                                                "invalid character",
		"-1":                                                   "-1 is not a whole number",
		"2.5":                                                  "2.5 is not a whole number",
		"3000000000":                                           "is not a whole number from 0 to",
		"3 4":                                                  "something comes after it",
		"null":                                                 "it is neither",
		"[3]":                                                  "it is neither",
		`"3"`:                                                  "it is neither",
		"{}":                                                   "it has no requested",
		`{"requested":5}`:                                      "it has no ready",
		`{"requested":5,"ready":null}`:                         "it has no ready",
		`{"requested":"5","ready":5}`:                          `requested: "5" is not a whole number`,
		`{"requested":5,"ready":5,"min":4,"max":2}`: "min 4 is above max 2",
		`{"requested":5,"ready":5`:                  "EOF",
	} {
		tgt := open(t, t.TempDir(), fmt.Sprintf(`{ current: [printf, "%%s", %q], scale: [echo, "{desired}"], current_timeout: 1m }`, printed))
		st, err := tgt.Current(t.Context())
		if err == nil {
			if got := fmt.Sprint(struct{ a, b, c, d int }{st.Requested, st.Ready, st.Min, st.Max}); got != want {
				t.Errorf("%q: %s, want %s", printed, got, want)
			}
			continue
		}
		if !strings.Contains(err.Error(), want) || target.KindOf(err) != target.KindTemporary {
			t.Errorf("%q: %s (%s), want %s", printed, err, target.KindOf(err), want)
		}
	}
	// What the program says beside it is none of the number.
	tgt := open(t, t.TempDir(), `{ current: [sh, -c, "echo warning >&2; echo 4"], scale: [echo, "{desired}"], current_timeout: 1m }`)
	if st, err := tgt.Current(t.Context()); err != nil || st.Requested != 4 {
		t.Errorf("%+v, %v", st, err)
	}
}

func TestExitCodes(t *testing.T) {
	t.Parallel()
	for code, want := range map[int]target.Kind{
		1: target.KindTemporary, 2: target.KindTemporary, 64: target.KindPermanent, 66: target.KindNotFound,
		69: target.KindQuota, 75: target.KindTemporary, 77: target.KindUnauthorized, 78: target.KindPermanent,
		79: target.KindConflict, 80: target.KindThrottled, 127: target.KindPermanent,
	} {
		script := fmt.Sprintf(`[sh, -c, 'echo out; echo "why it is so $0" >&2; exit %d', "{target}"`, code)
		tgt := open(t, t.TempDir(), fmt.Sprintf(`{ current: %s], scale: %s, "{desired}"], current_timeout: 1m }`, script, script))
		_, err := tgt.Current(t.Context())
		if target.KindOf(err) != want || !strings.Contains(err.Error(), "count the replicas of local: sh: exit status "+strconv.Itoa(code)) || !strings.Contains(err.Error(), "why it is so local") {
			t.Errorf("current: %s (%s), want %s", err, target.KindOf(err), want)
		}
		tgt = open(t, t.TempDir(), fmt.Sprintf(`{ current: [echo, "1"], scale: %s, "{desired}"], current_timeout: 1m, scale_timeout: 1m }`, script))
		err = tgt.Scale(t.Context(), 3)
		if target.KindOf(err) != want || !strings.Contains(err.Error(), "scale local to 3: sh: exit status "+strconv.Itoa(code)) || !strings.Contains(err.Error(), "why it is so local") {
			t.Errorf("scale: %s (%s), want %s", err, target.KindOf(err), want)
		}
	}
	tgt := open(t, t.TempDir(), `{ current: [sh, -c, 'kill -9 $$'], scale: [echo, "{desired}"], current_timeout: 1m }`)
	if _, err := tgt.Current(t.Context()); target.KindOf(err) != target.KindTemporary || !strings.Contains(err.Error(), "signal: killed: it printed nothing") {
		t.Errorf("killed: %v", err)
	}
}

// TestWords: what the program for scale is told, in words and in variables.
func TestWords(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	tgt := open(t, dir, fmt.Sprintf(`
current: [echo, "2"]
scale: [sh, -c, 'echo "$@ $ALERTSCALER_POLICY $ALERTSCALER_TARGET $ALERTSCALER_SCALE_TARGET $ALERTSCALER_DESIRED $ALERTSCALER_CURRENT $OWN" >told', "{desired}", "to={desired}", "from={current}", "{policy}/{target}/{scale_target}", "{ own }"]
env: { OWN: mine }
dir: %s
current_timeout: 1m
scale_timeout: 1m
`, dir))
	ctx := target.WithRequest(t.Context(), target.Request{Policy: "web", Reason: "scaled_up", From: 2})
	if err := tgt.Scale(ctx, 7); err != nil {
		t.Fatal(err)
	}
	told, err := os.ReadFile(filepath.Join(dir, "told"))
	if want := "to=7 from=2 web/local/shop { own } web local shop 7 2 mine\n"; err != nil || string(told) != want {
		t.Errorf("told %q, %v, want %q", told, err, want)
	}
}

// TestTimeout: a program that hangs is killed with all that it started, and the
// error says what it has printed.
func TestTimeout(t *testing.T) {
	t.Parallel()
	for _, which := range []string{"current", "scale"} {
		dir := t.TempDir()
		const hang = `[sh, -c, 'sleep 1000 & echo $! >pid.new; mv pid.new pid; echo "waiting for the provider"; wait', "{target}"`
		text := map[string]string{
			"current": `{ current: ` + hang + `], scale: [echo, "{desired}"], current_timeout: 1h`,
			"scale":   `{ current: [echo, "1"], scale: ` + hang + `, "{desired}"], current_timeout: 1m, scale_timeout: 1h`,
		}[which] + ", dir: " + dir + " }"
		c, err := load(t, dir, text)
		if err != nil {
			t.Fatal(err)
		}
		tgt := newTarget(c, target.Options{Name: "local"})
		// Once by its own timeout and once by its caller's.
		for _, own := range []bool{true, false} {
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			_ = os.Remove(filepath.Join(dir, "pid"))
			if own {
				tgt.cfg.CurrentTimeout, tgt.cfg.ScaleTimeout = model.Duration(4*time.Second), model.Duration(4*time.Second)
			} else {
				tgt.cfg.CurrentTimeout, tgt.cfg.ScaleTimeout = model.Duration(time.Hour), model.Duration(time.Hour)
			}
			failed := make(chan error, 1)
			go func() {
				if which == "current" {
					_, err := tgt.Current(ctx)
					failed <- err
				} else {
					failed <- tgt.Scale(ctx, 3)
				}
			}()
			var pid int
			realtest.Eventually(t, time.Minute, 10*time.Millisecond, "the program runs", func() error {
				b, err := os.ReadFile(filepath.Join(dir, "pid"))
				if err == nil {
					pid, err = strconv.Atoi(strings.TrimSpace(string(b)))
				}
				return err
			})
			if !own {
				cancel()
			}
			err := <-failed
			if target.KindOf(err) != target.KindTemporary || !strings.Contains(err.Error(), "sh was killed with all that it had started") || (own && !strings.Contains(err.Error(), "it took longer than 4s")) {
				t.Errorf("%s: %v (%s)", which, err, target.KindOf(err))
			}
			if own && !strings.Contains(err.Error(), "waiting for the provider") {
				t.Errorf("%s: %v does not say what was printed", which, err)
			}
			realtest.Eventually(t, time.Minute, 10*time.Millisecond, "what it started is gone", func() error {
				if err := syscall.Kill(pid, 0); err == nil && !zombie(pid) {
					return errors.New("it is there")
				}
				return nil
			})
		}
	}
}

// zombie reports whether a process is dead and not collected yet.
func zombie(pid int) bool {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return true
	}
	_, rest, _ := strings.Cut(string(b), ") ")
	return strings.HasPrefix(rest, "Z")
}

// TestOutputIsBounded: a program that does not stop printing costs what is kept
// of it.
func TestOutputIsBounded(t *testing.T) {
	t.Parallel()
	const flood = `[sh, -c, 'head -c 20000000 /dev/zero | tr "\\0" x; echo the end; exit 1', sh`
	tgt := open(t, t.TempDir(), `{ current: [echo, "1"], scale: `+flood+`, "{desired}"], current_timeout: 1m, scale_timeout: 1m }`)
	err := tgt.Scale(t.Context(), 2)
	if err == nil || !strings.HasSuffix(err.Error(), "the end") || len(err.Error()) > 2*maxShown {
		t.Errorf("scale: %.200v", err)
	}
	tgt = open(t, t.TempDir(), `{ current: [sh, -c, 'head -c 20000000 /dev/zero | tr "\\0" 1'], scale: [echo, "{desired}"], current_timeout: 1m }`)
	_, err = tgt.Current(t.Context())
	if target.KindOf(err) != target.KindTemporary || !strings.Contains(err.Error(), "printed more than 65536 bytes") {
		t.Errorf("current: %.200v", err)
	}
}
