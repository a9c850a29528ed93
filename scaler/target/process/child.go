package process

import (
	"os"
	"os/exec"
	"sync"
	"time"

	"github.com/go-kit/log"
)

// outputDelay is how long output is still read after a replica is gone, where
// a process that left its group holds the pipe open.
const outputDelay = time.Second

// child is one run of a replica's program: a process, the leader of a group of
// its own, and whatever it starts in that group.
//
// All methods but the channel are for one goroutine, the replica's.
type child struct {
	cmd     *exec.Cmd
	started time.Time
	output  [2]*lineLogger
	// exited is closed once the leader is gone. On Linux it stays a zombie
	// until reap, so that its pid and its group cannot be anyone else's and
	// signals cannot hit a stranger.
	exited chan struct{}
	wait   sync.Once
}

// startChild starts cmd from the thread of l, its output going to logger.
func startChild(l *launcher, cmd *exec.Cmd, logger log.Logger) (*child, error) {
	c := &child{cmd: cmd, exited: make(chan struct{})}
	c.output[0] = &lineLogger{logger: log.With(logger, "stream", "stdout")}
	c.output[1] = &lineLogger{logger: log.With(logger, "stream", "stderr")}
	cmd.Stdout, cmd.Stderr = c.output[0], c.output[1]
	cmd.WaitDelay = outputDelay
	cmd.SysProcAttr = sysProcAttr()
	if err := l.do(cmd.Start); err != nil {
		return nil, err
	}
	c.started = time.Now()
	go func() {
		defer close(c.exited)
		c.awaitExit()
	}()
	return c, nil
}

// pid is that of the leader, and the name of the group.
func (c *child) pid() int { return c.cmd.Process.Pid }

// reap ends what is left of the group after the leader exited, waits for the
// rest of the output and returns how the leader ended.
func (c *child) reap() *os.ProcessState {
	c.kill()
	// What was killed holds its ports until it is gone, and the replica is
	// started again with the same one.
	for end := time.Now().Add(time.Second); !c.groupGone() && time.Now().Before(end); {
		time.Sleep(5 * time.Millisecond)
	}
	c.waitOnce()
	for _, l := range c.output {
		l.flush()
	}
	return c.cmd.ProcessState
}

// drain asks the whole group to stop, waits for it up to timeout and kills
// what then still runs. It returns when the leader has exited.
func (c *child) drain(timeout time.Duration) {
	c.terminate()
	timer := time.NewTimer(timeout)
	defer timer.Stop()
	select {
	case <-c.exited:
	case <-timer.C:
		c.kill()
		<-c.exited
		return
	}
	// A wrapper such as sh -c may be gone at once while the program behind it
	// still finishes its work.
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for !c.groupGone() {
		select {
		case <-tick.C:
		case <-timer.C:
			return // reap kills the rest
		}
	}
}

// waitOnce lets os/exec collect the leader, whoever comes first.
func (c *child) waitOnce() { c.wait.Do(func() { _ = c.cmd.Wait() }) }
