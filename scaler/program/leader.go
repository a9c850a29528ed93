package program

import (
	"errors"
	"os/exec"
	"runtime"
	"sync"
	"time"

	"github.com/alertscaler/alertscaler/scaler/recovery"
)

// outputDelay is how long output is still read after a program is gone, where
// something that it left behind holds the pipe open, as a persistent SSH
// connection may.
const outputDelay = time.Second

// leader is a program that leads a process group of its own. On Linux the kernel
// ends it when this server is gone, however that happened.
type leader struct {
	cmd  *exec.Cmd
	once sync.Once
	err  error
}

// start starts the program, and then calls watch in a goroutine, which must not
// return before the program has ended: the kernel ends the program together with
// the thread that started it, and that one is kept until then.
func (l *leader) start(watch func()) error {
	l.cmd.Stdin = nil
	l.cmd.WaitDelay = outputDelay
	l.cmd.SysProcAttr = sysProcAttr()
	started := make(chan error)
	go func() {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		err := recovery.Do("start of a program", l.cmd.Start)
		started <- err
		if err == nil {
			watch()
		}
	}()
	return <-started
}

// Pid is the leader's, and the name of the group.
func (l *leader) Pid() int { return l.cmd.Process.Pid }

// collect lets os/exec collect the leader and the rest of its output, once, and
// returns how it ended. That something it left behind still held the output open
// is no failure of its own.
func (l *leader) collect() error {
	l.once.Do(func() {
		if l.err = l.cmd.Wait(); errors.Is(l.err, exec.ErrWaitDelay) {
			l.err = nil
		}
	})
	return l.err
}
