package process

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

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
