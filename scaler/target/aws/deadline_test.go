package aws

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/alertscaler/alertscaler/scaler/target"
	"github.com/alertscaler/alertscaler/scaler/target/aws/awstest"
)

// TestTerminateSuspended refuses a scale-down and nothing else: what was
// refused is forgotten by the next scale-up.
func TestTerminateSuspended(t *testing.T) {
	t.Parallel()
	s, conn := serveRegion(t)
	s.AddGroup(web())
	s.ChangeGroup("web", func(g *awstest.Group) { g.Suspended = []string{"Terminate"} })
	tgt := asg(t, conn)
	wantKind(t, "down", tgt.Scale(t.Context(), 1), target.KindPermanent, "process Terminate is suspended")
	wantKind(t, "down, with victims", tgt.ScaleDown(t.Context(), 1, nil), target.KindPermanent, "process Terminate is suspended")
	if err := tgt.Scale(t.Context(), 4); err != nil {
		t.Errorf("up: %v", err)
	}
	if st, err := tgt.Current(t.Context()); err != nil || st.Requested != 4 || st.Failed != nil {
		t.Errorf("after it: %+v, %v", st, err)
	}
}

// TestCredentialProcessHangs: whatever gives credentials, a call returns by its
// deadline, and so does each that comes after it.
func TestCredentialProcessHangs(t *testing.T) {
	s, conn := serveRegion(t)
	s.AddGroup(web())
	s.AddService(shop())
	dir := t.TempDir()
	file := filepath.Join(dir, "config")
	script := filepath.Join(dir, "credentials")
	for name, content := range map[string]string{
		file:   fmt.Sprintf("[profile slow]\nregion = %s\ncredential_process = %s\n", region, script),
		script: "#!/bin/sh\necho $$ >>" + dir + "/pids\nexec sleep 1000\n",
	} {
		if err := os.WriteFile(name, []byte(content), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	t.Cleanup(func() {
		// The SDK gives it a minute, whoever waits for it.
		b, _ := os.ReadFile(filepath.Join(dir, "pids"))
		for _, pid := range strings.Fields(string(b)) {
			if n, err := strconv.Atoi(pid); err == nil {
				_ = syscall.Kill(n, syscall.SIGKILL)
			}
		}
	})
	t.Setenv("AWS_CONFIG_FILE", file)
	conn.Profile = "slow"
	for name, tgt := range map[string]target.Target{"group": asg(t, conn), "service": ecsService(t, conn)} {
		for i, call := range []func(context.Context) error{
			func(ctx context.Context) error { _, err := tgt.Current(ctx); return err },
			func(ctx context.Context) error { return tgt.Scale(ctx, 3) },
			func(ctx context.Context) error { _, err := tgt.Current(ctx); return err },
		} {
			ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
			done := make(chan error, 1)
			go func() { done <- call(ctx) }()
			select {
			case err := <-done:
				wantKind(t, fmt.Sprint(name, " ", i), err, target.KindTemporary, "deadline exceeded")
			case <-time.After(20 * time.Second):
				t.Fatalf("%s: call %d goes on long after its deadline", name, i)
			}
			cancel()
		}
	}
}
