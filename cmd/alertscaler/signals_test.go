package main_test

import (
	"net"
	"strings"
	"syscall"
	"testing"
	"time"
)

// silent accepts connections and says nothing, as an Engine does that hangs.
func silent(t *testing.T) (address string, asked <-chan struct{}) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	connected := make(chan struct{}, 100)
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			t.Cleanup(func() { c.Close() })
			connected <- struct{}{}
		}
	}()
	return l.Addr().String(), connected
}

// TestTheEndIsHeardDuringAReload, also behind further SIGHUPs, and the reload
// that it cancels leaves nothing behind.
func TestTheEndIsHeardDuringAReload(t *testing.T) {
	t.Parallel()
	s := startServer(t, sleepers(""))
	address, asked := silent(t)
	s.configure(sleepers("discovery: [ { name: hangs, docker_services: { host: 'tcp://" + address + "' } } ]\n"))
	signal := func(sig syscall.Signal) {
		t.Helper()
		if err := syscall.Kill(s.PID(), sig); err != nil {
			t.Fatal(err)
		}
	}
	signal(syscall.SIGHUP)
	select {
	case <-asked: // the reload is under way
	case <-time.After(30 * time.Second):
		t.Fatalf("the discovery is not asked:\n%s", s.Log())
	}
	for range 3 {
		signal(syscall.SIGHUP)
	}
	signal(syscall.SIGTERM)
	select {
	case <-s.Exited():
	case <-time.After(time.Minute):
		t.Fatalf("SIGTERM was lost:\n%s", s.Log())
	}
	said := s.Log()
	if !strings.Contains(said, `msg="shutting down"`) || !strings.Contains(said, "the server is shutting down") {
		t.Errorf("the reload was not cancelled:\n%s", said)
	}
	if strings.Count(said, "configuration loaded") != 1 {
		t.Errorf("a configuration was put in force during the end:\n%s", said)
	}
}
