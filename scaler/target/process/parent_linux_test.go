package process

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/alertscaler/alertscaler/scaler/target"
)

// superviseEnv makes the test binary a server of its own: three replicas of
// the worker that it names, and their pids on standard output.
const superviseEnv = "ALERTSCALER_TEST_SUPERVISE"

func supervise(command string) int {
	cfg := NewConfig().(*Config)
	cfg.Command = []string{command, "--ignore-sigterm"}
	p := newPool(*cfg, target.Options{Policy: "web", Name: "local"})
	if err := p.Scale(context.Background(), 3); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	for {
		if all := pids(p); len(all) == 3 {
			fmt.Println(strings.Trim(fmt.Sprint(all), "[]"))
			break
		}
		time.Sleep(10 * time.Millisecond)
	}
	select {}
}

// TestReplicasDieWithTheServer kills a server in the one way that it cannot
// clean up after.
func TestReplicasDieWithTheServer(t *testing.T) {
	t.Parallel()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), superviseEnv+"="+worker)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	var replicas []int
	for _, f := range strings.Fields(line) {
		pid, err := strconv.Atoi(f)
		if err != nil || !running(pid) {
			t.Fatalf("%q is not the pid of a running process: %v", f, err)
		}
		replicas = append(replicas, pid)
	}
	// Long enough for the runtime to end idle threads, had the replicas been
	// started from one of those.
	time.Sleep(time.Second)
	for _, pid := range replicas {
		if !running(pid) {
			t.Errorf("replica %d died before its server", pid)
		}
	}
	_ = cmd.Process.Kill()
	_ = cmd.Wait()
	for _, pid := range replicas {
		eventually(t, 10*time.Second, fmt.Sprintf("replica %d dies", pid), func() bool { return !running(pid) })
	}
}

// running reports whether a process is there and not a zombie.
func running(pid int) bool {
	if syscall.Kill(pid, 0) != nil {
		return false
	}
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return false
	}
	// The state follows the name, which is in parentheses and may hold any.
	rest := string(b[strings.LastIndexByte(string(b), ')')+1:])
	return !strings.HasPrefix(rest, " Z") && !strings.HasPrefix(rest, " X")
}
