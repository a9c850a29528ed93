package docker

import (
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/moby/moby/client"

	"github.com/alertscaler/alertscaler/scaler/realtest"
)

// isolatedEnv is set in the test binary that isolated starts.
const isolatedEnv = "ALERTSCALER_TEST_ISOLATED"

// isolated runs the test again in network and mount namespaces of its own and
// returns true there. An Engine of the test's own must be in these: it would
// take away docker0 from the one of this machine, and leave its mounts behind.
func isolated(t *testing.T) bool {
	t.Helper()
	if os.Getenv(isolatedEnv) != "" {
		if out, err := exec.Command(realtest.Tool(t, "ip"), "link", "set", "lo", "up").CombinedOutput(); err != nil {
			t.Fatalf("bring up the loopback interface: %v\n%s", err, out)
		}
		return true
	}
	if os.Geteuid() != 0 {
		realtest.SkipOrFail(t, "needs to be root, for an Engine of its own")
	}
	realtest.Docker(t) // the worker's image is from there
	realtest.Tool(t, "dockerd")
	// Short: the paths of sockets, which are below it, may have 107 bytes.
	dir, err := os.MkdirTemp("/tmp", "dockerd")
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := os.RemoveAll(dir); err != nil {
			t.Error(err)
		}
	}()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(self, "-test.run=^"+t.Name()+"$", "-test.v")
	cmd.Env = append(os.Environ(), isolatedEnv+"="+dir)
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Unshareflags: syscall.CLONE_NEWNET | syscall.CLONE_NEWNS,
		Pdeathsig:    syscall.SIGKILL,
	}
	out, err := cmd.CombinedOutput()
	if err != nil || !strings.Contains(string(out), "--- PASS: "+t.Name()) {
		t.Errorf("in namespaces of its own: %v\n%s", err, out)
	}
	return false
}

// privateDockerd starts an Engine of the test's own, which has the worker's
// image and no bridge, and returns the host of its socket. It is for tests that
// are isolated.
func privateDockerd(t testing.TB, args ...string) (host string) {
	t.Helper()
	dir := os.Getenv(isolatedEnv)
	host = "unix://" + filepath.Join(dir, "docker.sock")
	shared, ref := dockerd(t, realtest.Docker(t)), image(t)
	p := realtest.Start(t, realtest.Tool(t, "dockerd"), append([]string{
		"--data-root=" + filepath.Join(dir, "data"), "--exec-root=" + filepath.Join(dir, "exec"),
		"--pidfile=" + filepath.Join(dir, "pid"), "--host=" + host,
		"--bridge=none", "--iptables=false",
	}, args...)...)
	api := dockerd(t, host)
	realtest.Eventually(t, time.Minute, 50*time.Millisecond, "the private Engine answers", func() error {
		select {
		case <-p.Exited():
			t.Fatal("dockerd ended before it answered")
		default:
		}
		_, err := api.Ping(t.Context(), client.PingOptions{})
		return err
	})
	saved, err := shared.ImageSave(t.Context(), []string{ref})
	if err != nil {
		t.Fatal(err)
	}
	defer saved.Close()
	loaded, err := api.ImageLoad(t.Context(), saved)
	if err != nil {
		t.Fatal(err)
	}
	defer loaded.Close()
	// It is loaded once all of the answer was read.
	if _, err := io.Copy(io.Discard, loaded); err != nil {
		t.Fatal(err)
	}
	return host
}
