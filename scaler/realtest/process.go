package realtest

import (
	"errors"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

const (
	startTimeout = time.Minute
	stopTimeout  = 15 * time.Second
	logTail      = 16 << 10
)

// FreePort returns a loopback TCP port that nothing listens on. It lies below
// the range the kernel takes outgoing ports from, so that it stays free until
// the caller listens.
func FreePort(t testing.TB) int {
	t.Helper()
	for range 100 {
		port := 20000 + rand.IntN(10000)
		l, err := net.Listen("tcp", "127.0.0.1:"+strconv.Itoa(port))
		if err != nil {
			continue
		}
		l.Close()
		return port
	}
	t.Fatal("found no free port between 20000 and 30000")
	return 0
}

// GoBuild builds the main package pkg (an import path, or a directory relative
// to the test's own) as a static program and returns its path. The program
// lasts as long as the test.
func GoBuild(t testing.TB, pkg string) string {
	t.Helper()
	bin := filepath.Join(t.TempDir(), filepath.Base(pkg))
	dir, what := "", pkg
	if info, err := os.Stat(pkg); err == nil && info.IsDir() {
		dir, what = pkg, "." // It may be a module of its own.
	}
	cmd := exec.Command("go", "build", "-trimpath", "-buildvcs=false", "-o", bin, what)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("build %s: %v\n%s", pkg, err, out)
	}
	return bin
}

// Process is a program that runs for a test.
type Process struct {
	name string
	bin  string
	args []string
	log  *os.File

	cmd    *exec.Cmd
	exited chan struct{} // Closed once cmd has been waited for.
}

// Start runs a program until the test ends. See [Process.Stop] for how it ends.
func Start(t testing.TB, bin string, args ...string) *Process {
	t.Helper()
	name := filepath.Base(bin)
	log, err := os.Create(filepath.Join(t.TempDir(), name+".log"))
	if err != nil {
		t.Fatal(err)
	}
	p := &Process{name: name, bin: bin, args: args, log: log}
	t.Cleanup(func() {
		p.Stop(t)
		if t.Failed() {
			t.Logf("%s printed:\n%s", name, p.Log())
		}
		log.Close()
	})
	p.Restart(t)
	return p
}

// Restart starts the program again with the same arguments. One that still
// runs is stopped first.
func (p *Process) Restart(t testing.TB) {
	t.Helper()
	p.Stop(t)
	cmd, exited := exec.Command(p.bin, p.args...), make(chan struct{})
	cmd.Stdout, cmd.Stderr = p.log, p.log
	cmd.SysProcAttr = dieWithParent()
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		defer close(exited)
		_ = cmd.Wait() // How it ended is in its log.
	}()
	p.cmd, p.exited = cmd, exited
}

// Stop ends the program by SIGTERM, and by SIGKILL if it has not gone after
// 15 seconds. It does nothing to a program that has ended.
func (p *Process) Stop(t testing.TB) {
	t.Helper()
	if p.cmd == nil {
		return
	}
	_ = p.cmd.Process.Signal(syscall.SIGTERM)
	select {
	case <-p.exited:
	case <-time.After(stopTimeout):
		t.Logf("%s ignored SIGTERM for %s", p.name, stopTimeout)
		p.Kill()
	}
}

// Kill ends the program by SIGKILL and waits until it is gone.
func (p *Process) Kill() {
	_ = p.cmd.Process.Kill()
	<-p.exited
}

// PID returns the id of the process last started.
func (p *Process) PID() int { return p.cmd.Process.Pid }

// ExitCode is what the program ended with, -1 for a signal; it must have ended.
func (p *Process) ExitCode() int { return p.cmd.ProcessState.ExitCode() }

// Exited is closed when the program has ended, for whatever reason.
func (p *Process) Exited() <-chan struct{} { return p.exited }

// Log returns the last 16 KiB that the program printed.
func (p *Process) Log() string {
	info, err := p.log.Stat()
	if err != nil {
		return err.Error()
	}
	from := max(0, info.Size()-logTail)
	tail := make([]byte, info.Size()-from)
	n, _ := p.log.ReadAt(tail, from)
	return strings.TrimRight(string(tail[:n]), "\n")
}

// WaitHTTP waits until url answers 200, and fails t if the program ends before
// that or a minute passes.
func (p *Process) WaitHTTP(t testing.TB, url string) {
	t.Helper()
	Eventually(t, startTimeout, 50*time.Millisecond, p.name+" is ready", func() error {
		select {
		case <-p.exited:
			t.Fatalf("%s ended before it was ready (%s)", p.name, p.cmd.ProcessState)
		default:
		}
		return call(client, http.MethodGet, url, nil, nil)
	})
}

// writeFiles puts files below dir. Names are relative to it.
func writeFiles(dir string, files map[string]string) error {
	for name, content := range files {
		if !filepath.IsLocal(name) {
			return errors.New("not a relative name: " + name)
		}
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
			return err
		}
	}
	return nil
}
