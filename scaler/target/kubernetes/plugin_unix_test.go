//go:build unix

package kubernetes

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"k8s.io/client-go/tools/clientcmd"

	"github.com/alertscaler/alertscaler/scaler/realtest"
	"github.com/alertscaler/alertscaler/scaler/target"
)

// askingKubeconfig writes a kubeconfig that has a shell script asked for
// credentials, in the directory of which it runs.
func askingKubeconfig(t testing.TB, url, caFile, script string) (file, dir string) {
	t.Helper()
	dir = t.TempDir()
	file = filepath.Join(dir, "kubeconfig")
	for name, content := range map[string]string{
		"plugin": "#!/bin/sh\ncd " + dir + "\necho $$ >>runs\n" + script,
		"kubeconfig": fmt.Sprintf(`
apiVersion: v1
kind: Config
current-context: test
clusters: [ { name: test, cluster: { server: %q, certificate-authority: %q } } ]
users: [ { name: test, user: { exec: { apiVersion: client.authentication.k8s.io/v1, command: ./plugin, interactiveMode: Never } } } ]
contexts: [ { name: test, context: { cluster: test, user: test } } ]
`, url, caFile),
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	return file, dir
}

// ids are the numbers that a script has written to a file.
func ids(t testing.TB, dir, name string) []int {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(dir, name))
	if err != nil && !os.IsNotExist(err) {
		t.Fatal(err)
	}
	var out []int
	for s := range strings.FieldsSeq(string(b)) {
		n, err := strconv.Atoi(s)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, n)
	}
	return out
}

// gone waits until no process has this number, but for one that has ended and
// was left to a parent that does not look.
func gone(t testing.TB, pid int) {
	t.Helper()
	realtest.Eventually(t, converge, 20*time.Millisecond, fmt.Sprintf("process %d is gone", pid), func() error {
		if errors.Is(syscall.Kill(pid, 0), syscall.ESRCH) {
			return nil
		}
		if stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid)); err == nil && strings.Contains(string(stat), ") Z ") {
			return nil
		}
		return errors.New("it is there")
	})
}

// TestPluginHangs has the program hang that a kubeconfig names: every call
// comes back by its deadline and says what it waited for, and the program ends
// with its client.
func TestPluginHangs(t *testing.T) {
	t.Parallel()
	kubeconfig, dir := askingKubeconfig(t, "https://127.0.0.1:1", "", "sleep 600 &\necho $! >children\nwait\n")
	var clients Clients
	var targets []target.Target
	for i := range 8 {
		targets = append(targets, build(t, &Config{
			APIVersion: "apps/v1", Kind: "Deployment", Namespace: "shop", Name: fmt.Sprintf("w-%d", i), Kubeconfig: kubeconfig, clients: &clients,
		}))
	}
	// Each of them twice, one after the other.
	for range 2 {
		var calls sync.WaitGroup
		for i, tgt := range targets {
			calls.Go(func() {
				ctx, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond)
				defer cancel()
				call := func() error { _, err := tgt.Current(ctx); return err }
				if i%2 == 1 {
					call = func() error { return tgt.Scale(ctx, 3) }
				}
				returned := make(chan error, 1)
				go func() { returned <- call() }()
				select {
				case err := <-returned:
					wantKind(t, "a call", err, target.KindTemporary, "exec plugin "+filepath.Join(dir, "plugin"))
				case <-time.After(converge):
					t.Error("a call with a deadline of 500ms has not come back")
				}
			})
		}
		calls.Wait()
	}
	if t.Failed() {
		return
	}
	realtest.Eventually(t, converge, 20*time.Millisecond, "the program runs", func() error {
		if len(ids(t, dir, "children")) == 0 {
			return errors.New("it has not started anything")
		}
		return nil
	})
	runs, children := ids(t, dir, "runs"), ids(t, dir, "children")
	if len(runs) != 1 {
		t.Errorf("it runs %d times for 16 calls, want once", len(runs))
	}
	for _, tgt := range targets {
		if err := tgt.(target.Closer).Close(); err != nil {
			t.Error(err)
		}
	}
	gone(t, runs[0])
	gone(t, children[0])
}

// testPlugin has a real API server asked with what a program gives.
func testPlugin(t *testing.T, c *testCluster) {
	name := c.create(t, "apps/v1", "Deployment", 1, "0s")
	var refuse atomic.Bool
	proxy := c.Proxy(t, "", func(w http.ResponseWriter, r *http.Request) bool {
		return refuse.Swap(false) && answer(401, "Unauthorized", "who are you")(w, r)
	})
	url, caFile := serverOf(t, proxy)
	kubeconfig, dir := askingKubeconfig(t, url, caFile, `
[ -e broken ] && { echo "log in again" >&2; exit 3; }
echo '{ "apiVersion": "client.authentication.k8s.io/v1", "kind": "ExecCredential", "status": { "token": "'$(cat token)'" } }'
`)
	write := func(name, content string) {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("token", "expired")
	cfg := c.deployment(name)
	cfg.Kubeconfig = kubeconfig
	tgt := open(t, cfg)
	_, err := tgt.Current(t.Context())
	wantKind(t, "Current with a token that nobody knows", err, target.KindUnauthorized, "Unauthorized")
	write("token", realtest.KubernetesAdmin+"-token")
	settle(t, tgt, target.State{Requested: 1, Ready: 1})
	before := len(ids(t, dir, "runs"))
	settle(t, tgt, target.State{Requested: 1, Ready: 1})
	if n := len(ids(t, dir, "runs")); n != before {
		t.Errorf("the program ran %d times more while its token is good", n-before)
	}
	// The token ends while it is in use: the call itself fetches another.
	refuse.Store(true)
	ask(t, tgt, 2)
	if n := len(ids(t, dir, "runs")); n != before+1 {
		t.Errorf("the program ran %d times more once its token was refused, want once", n-before)
	}
	write("broken", "")
	refuse.Store(true)
	_, err = tgt.Current(t.Context())
	wantKind(t, "Current while the program fails", err, target.KindTemporary, "exit status 3: log in again")
	if err := os.Remove(filepath.Join(dir, "broken")); err != nil {
		t.Fatal(err)
	}
	settle(t, tgt, target.State{Requested: 2, Ready: 2})
}

// serverOf is the server of a kubeconfig, and the certificate to verify it with.
func serverOf(t testing.TB, kubeconfig string) (url, caFile string) {
	t.Helper()
	cfg, err := clientcmd.LoadFromFile(kubeconfig)
	if err != nil {
		t.Fatal(err)
	}
	return cfg.Clusters["test"].Server, cfg.Clusters["test"].CertificateAuthority
}
