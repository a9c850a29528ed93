package main_test

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/alertscaler/alertscaler/scaler/realtest"
)

// firing is a webhook body about an alert of that name, for a policy or none.
func firing(name, scaleTarget string) string {
	return fmt.Sprintf(`{"version":"4","groupKey":"{}","status":"firing","receiver":"r","truncatedAlerts":0,"groupLabels":{},"commonLabels":{},"commonAnnotations":{},"externalURL":"",
		"alerts":[{"status":"firing","labels":{"alertname":%q,"scale":"up","scale_target":%q},"annotations":{},"startsAt":"2026-01-01T00:00:00Z","endsAt":"0001-01-01T00:00:00Z","generatorURL":""}]}`, name, scaleTarget)
}

// TestALedgerChangedUnderWayEndsTheServer: nothing is acknowledged that will
// not be found again, and the server ends by itself, with an error that says
// what to do.
func TestALedgerChangedUnderWayEndsTheServer(t *testing.T) {
	t.Parallel()
	must := func(t *testing.T, err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	repair := []string{"--storage.repair", "scalertool ledger repair --storage.path="}
	tests := map[string]struct {
		change func(*testing.T, string)
		say    []string
	}{
		"truncated to nothing": {func(t *testing.T, file string) { must(t, os.Truncate(file, 0)) }, repair},
		"cut in the middle":    {func(t *testing.T, file string) { must(t, os.Truncate(file, 5*4096)) }, repair},
		"zeroed": {func(t *testing.T, file string) {
			info, err := os.Stat(file)
			must(t, err)
			f, err := os.OpenFile(file, os.O_WRONLY, 0)
			must(t, err)
			_, err = f.Write(make([]byte, info.Size()))
			must(t, err)
			must(t, f.Close())
		}, repair},
		"overwritten": {func(t *testing.T, file string) {
			info, err := os.Stat(file)
			must(t, err)
			f, err := os.OpenFile(file, os.O_WRONLY, 0)
			must(t, err)
			_, err = f.Write(bytes.Repeat([]byte("\xee"), int(info.Size())))
			must(t, err)
			must(t, f.Close())
		}, repair},
		"deleted":    {func(t *testing.T, file string) { must(t, os.Remove(file)) }, []string{"deleted or moved away", "put it back"}},
		"moved away": {func(t *testing.T, file string) { must(t, os.Rename(file, file+".bak")) }, []string{"deleted or moved away", "put it back"}},
		"its directory moved away": {func(t *testing.T, file string) {
			must(t, os.Rename(filepath.Dir(file), filepath.Dir(file)+".bak"))
		}, []string{"deleted or moved away", "put it back"}},
		"another in its place": {func(t *testing.T, file string) {
			b, err := os.ReadFile(file)
			must(t, err)
			must(t, os.WriteFile(file+".new", b, 0o600))
			must(t, os.Rename(file+".new", file))
		}, []string{"another file was put in its place", "start alertscaler again"}},
	}
	for name, tc := range tests {
		for _, traffic := range []bool{true, false} {
			t.Run(fmt.Sprintf("%s, traffic %t", name, traffic), func(t *testing.T) {
				t.Parallel()
				s := startServer(t, "global: { evaluation_interval: 1h }"+strings.Replace(sleepers(""), "max: 20", "max: 1", 1))
				s.fire("up", "web")
				// A write that is under way at that moment would write all of so
				// small a ledger anew, and nothing would be wrong with it.
				commits, since := "", time.Now()
				realtest.Eventually(t, time.Minute, 100*time.Millisecond, "nothing is being written", func() error {
					if n := s.metric("alertscaler_ledger_commits_total"); n != commits {
						commits, since = n, time.Now()
					}
					if time.Since(since) < 3*time.Second {
						return fmt.Errorf("%s commits", commits)
					}
					return nil
				})
				file := filepath.Join(s.dir, "data", "ledger.db")
				tc.change(t, file)
				changed := time.Now()
				for i := 0; traffic && i < 20; i++ {
					resp, err := http.Post(s.url+"/webhook", "application/json", strings.NewReader(firing(fmt.Sprintf("a%d", i), "other")))
					if err != nil {
						break // It has ended.
					}
					_, _ = io.Copy(io.Discard, resp.Body)
					resp.Body.Close()
					if resp.StatusCode == http.StatusAccepted {
						t.Errorf("webhook %d was acknowledged", i)
					}
				}
				select {
				case <-s.Exited():
				case <-time.After(time.Minute):
					t.Fatal("it still runs after a minute")
				}
				t.Logf("ended after %s", time.Since(changed).Round(time.Millisecond))
				if code := s.ExitCode(); code != 1 {
					t.Errorf("exit code %d, want 1", code)
				}
				for _, want := range append(tc.say, file, "level=error", "msg=ended") {
					if !strings.Contains(s.Log(), want) {
						t.Errorf("the log does not say %q", want)
					}
				}
			})
		}
	}
}

// TestADamagedLedgerIsRepaired: the start refuses with what to do, and with
// --storage.repair it goes on with what can be read, the damaged file kept.
func TestADamagedLedgerIsRepaired(t *testing.T) {
	t.Parallel()
	s := startServer(t, sleepers(""))
	if !strings.Contains(s.Log(), "there is no ledger here, a new one begins") {
		t.Error("the log does not say that a new ledger begins")
	}
	s.fire("up", "web")
	s.eventually(30*time.Second, "two replicas", "web", atLeast(2))
	s.Stop(t)
	file := filepath.Join(s.dir, "data", "ledger.db")
	damage(t, file)

	s.Restart(t)
	<-s.Exited()
	if code := s.ExitCode(); code != 1 {
		t.Errorf("exit code %d, want 1", code)
	}
	for _, want := range []string{file, "file is damaged", "--storage.repair", "scalertool ledger repair --storage.path=" + filepath.Dir(file)} {
		if !strings.Contains(s.Log(), want) {
			t.Errorf("the log does not say %q", want)
		}
	}

	repaired := realtest.Start(t, binary, "--config.file="+s.file, "--storage.path="+filepath.Dir(file), "--storage.repair",
		"--web.listen-address="+strings.TrimPrefix(s.url, "http://"))
	repaired.WaitHTTP(t, s.url+"/-/ready")
	for _, want := range []string{"the ledger was damaged, what can be read of it was taken over", "none scales down before"} {
		if !strings.Contains(repaired.Log(), want) {
			t.Errorf("the log does not say %q", want)
		}
	}
	if kept, err := filepath.Glob(file + ".damaged-*"); err != nil || len(kept) != 1 {
		t.Errorf("the damaged file is kept as %v, %v", kept, err)
	}
}

// damage overwrites the pages of a closed ledger from the third on that hold
// decisions, so that the tree is broken and the rest can be read.
func damage(t *testing.T, file string) {
	t.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for at := 2 * 4096; at+4096 <= len(b); at += 4096 {
		if page := b[at : at+4096]; bytes.Contains(page, []byte(`"explanation"`)) || bytes.Contains(page, []byte(`"steps"`)) {
			copy(page, make([]byte, 16))
		}
	}
	if err := os.WriteFile(file, b, 0o600); err != nil {
		t.Fatal(err)
	}
}
