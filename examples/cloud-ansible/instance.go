package main

import (
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"syscall"
	"time"
)

// Where machines listen.
const (
	firstPort = 19130
	lastPort  = 19149
)

// instance is a machine as the provider has it: a process.
type instance struct {
	group, address string
	cmd            *exec.Cmd
	// power is the machine's standard input. It ends with the provider, and
	// the machine with it.
	power io.Closer
}

// startInstance starts a machine on a free port.
func startInstance(group string, boot time.Duration, taken map[string]bool) (*instance, error) {
	for port := firstPort; port <= lastPort; port++ {
		address := fmt.Sprintf("127.0.0.1:%d", port)
		if taken[address] || listens(address) {
			continue
		}
		self, err := os.Executable()
		if err != nil {
			return nil, err
		}
		cmd := exec.Command(self, "machine", "--listen="+address, "--boot="+boot.String())
		cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
		power, err := cmd.StdinPipe()
		if err != nil {
			return nil, err
		}
		if err := cmd.Start(); err != nil {
			return nil, err
		}
		return &instance{group: group, address: address, cmd: cmd, power: power}, nil
	}
	return nil, errors.New("the cloud is full")
}

func (i *instance) state() string {
	if listens(i.address) {
		return "running"
	}
	return "pending"
}

// stop ends the machine and returns once it is gone.
func (i *instance) stop() {
	_ = i.cmd.Process.Signal(syscall.SIGTERM)
	kill := time.AfterFunc(10*time.Second, func() { _ = i.cmd.Process.Kill() })
	defer kill.Stop()
	_ = i.cmd.Wait()
	_ = i.power.Close()
}

func listens(address string) bool {
	c, err := net.DialTimeout("tcp", address, time.Second)
	if err != nil {
		return false
	}
	_ = c.Close()
	return true
}
