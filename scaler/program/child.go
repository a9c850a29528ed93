package program

import (
	"os"
	"os/exec"
	"time"
)

// Child is a program that runs, and what it starts in its process group, all of
// which ends with it. Its methods are for one goroutine.
type Child struct {
	leader
	Started time.Time
	// Exited is closed once the leader is gone. On Linux it stays a zombie until
	// Reap, so that its pid and its group cannot be anyone else's and signals
	// cannot hit a stranger.
	Exited chan struct{}
}

// StartChild starts cmd with standard input closed.
func StartChild(cmd *exec.Cmd) (*Child, error) {
	c := &Child{leader: leader{cmd: cmd}, Exited: make(chan struct{})}
	err := c.start(func() {
		defer close(c.Exited)
		c.awaitExit()
	})
	if err != nil {
		return nil, err
	}
	c.Started = time.Now()
	return c, nil
}

// Drain asks the whole group to stop, waits for it up to timeout and kills
// what then still runs. It returns when the leader has exited.
func (c *Child) Drain(timeout time.Duration) {
	c.terminate()
	timer := time.NewTimer(timeout)
	defer timer.Stop()
	select {
	case <-c.Exited:
	case <-timer.C:
		c.kill()
		<-c.Exited
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
			return // Reap kills the rest
		}
	}
}

// Kill ends the whole group at once.
func (c *Child) Kill() { c.kill() }

// Reap ends what is left of the group after the leader exited, waits for the
// rest of the output and returns how the leader ended.
func (c *Child) Reap() *os.ProcessState {
	c.kill()
	// What was killed holds its ports until it is gone, and the program may be
	// started again with the same one.
	for end := time.Now().Add(time.Second); !c.groupGone() && time.Now().Before(end); {
		time.Sleep(5 * time.Millisecond)
	}
	_ = c.collect()
	return c.cmd.ProcessState
}
