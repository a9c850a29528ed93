package process

import (
	"fmt"
	"net"
	"sync"
)

// ports hands out free TCP ports of 127.0.0.1, no port to two holders. The zero
// value is ready.
//
// A port is free at the moment it is taken; another process may bind it
// before the replica does. The replica then exits early and is started again
// with another port: see replica.run.
type ports struct {
	mu    sync.Mutex
	taken map[int]bool // by holders that have not given it back
}

// take returns a port that nothing listens on and nobody else holds.
func (p *ports) take() (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	offered := len(p.taken) + 1
	for range offered {
		ln, err := net.Listen("tcp4", "127.0.0.1:0")
		if err != nil {
			return 0, fmt.Errorf("find a free port: %w", err)
		}
		// Until the end, so that the kernel does not offer the same port, held by
		// a replica that has not bound it yet, again.
		defer ln.Close()
		port := ln.Addr().(*net.TCPAddr).Port
		if !p.taken[port] {
			if p.taken == nil {
				p.taken = make(map[int]bool)
			}
			p.taken[port] = true
			return port, nil
		}
	}
	return 0, fmt.Errorf("find a free port: each of %d offered is held by a replica", offered)
}

// give makes a port available again; 0 is none and does nothing.
func (p *ports) give(port int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.taken, port)
}
