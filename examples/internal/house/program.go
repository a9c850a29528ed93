package house

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"
)

const (
	readyWithin = time.Minute
	stopWithin  = 20 * time.Second
)

// program is one process of a house.
type program struct {
	name, ready string
	cmd         *exec.Cmd
	log         *os.File
	done        chan struct{} // closed once it has ended; nil until it runs
}

// start starts the program, with its output in a file of data, and waits until
// it is ready.
func (p *program) start(ctx context.Context, data string) error {
	address := Host(p.ready)
	if c, err := net.DialTimeout("tcp", address, time.Second); err == nil {
		c.Close()
		return fmt.Errorf("something listens on %s already", address)
	}
	var err error
	if p.log, err = os.Create(filepath.Join(data, p.name+".log")); err != nil {
		return err
	}
	p.cmd.Stdout, p.cmd.Stderr = p.log, p.log
	// Ctrl-C is for the example, which ends its programs in order.
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := p.cmd.Start(); err != nil {
		return err
	}
	p.done = make(chan struct{})
	go func() {
		_ = p.cmd.Wait()
		close(p.done)
	}()
	fmt.Printf("Starting %-13s http://%s\n", p.name, address)
	ctx, cancel := context.WithTimeout(ctx, readyWithin)
	defer cancel()
	for {
		if GetJSON(ctx, p.ready, nil) == nil {
			return nil
		}
		select {
		case <-p.done:
			return fmt.Errorf("it ended at once; its log is %s", p.log.Name())
		case <-ctx.Done():
			return fmt.Errorf("not ready in time; its log is %s: %w", p.log.Name(), ctx.Err())
		case <-time.After(200 * time.Millisecond):
		}
	}
}

// stop ends the program if it runs, and returns once it has ended.
func (p *program) stop() {
	if p.done == nil {
		return
	}
	_ = p.cmd.Process.Signal(syscall.SIGTERM)
	select {
	case <-p.done:
	case <-time.After(stopWithin):
		_ = p.cmd.Process.Kill()
		<-p.done
	}
	if err := p.log.Close(); err != nil && !errors.Is(err, os.ErrClosed) {
		fmt.Fprintf(os.Stderr, "close the log of %s: %s\n", p.name, err)
	}
}
