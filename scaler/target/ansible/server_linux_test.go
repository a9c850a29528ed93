package ansible

import (
	"bufio"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/alertscaler/alertscaler/scaler/realtest"
)

// TestServerIsKilled in the middle of a run: the playbook does not go on
// without it, and the next server finds what there is.
func TestServerIsKilled(t *testing.T) {
	t.Parallel()
	realtest.Tool(t, "ansible-playbook")
	s := newSite(t, "    - ansible.builtin.command: sleep 3\n"+setCount)
	server := exec.Command(os.Args[0])
	server.Env = append(os.Environ(), serveEnv+"="+s.dir)
	server.Stderr = os.Stderr
	out, err := server.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	pid, err := strconv.Atoi(strings.TrimSpace(line))
	if err != nil {
		t.Fatal(err)
	}
	_ = server.Process.Kill()
	_ = server.Wait()
	wantGone(t, pid)
	time.Sleep(5 * time.Second)
	p := open(t, s.config(t, ""))
	if st := current(t, p); st.Requested != 1 || s.count(t) != 1 {
		t.Errorf("%+v after the server was killed, want the 1 there is", st)
	}
}
