package webhook

import (
	"net"
	"net/http"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"
)

// pipe is a connection that knows whether it was closed.
type pipe struct {
	net.Conn
	closed bool
}

func (p *pipe) Close() error {
	p.closed = true
	return nil
}

// TestConnectionsMakeRoom: of connections that wait for their clients the one
// goes that has no reason to, and none that is busy.
func TestConnectionsMakeRoom(t *testing.T) {
	now := t0
	c := NewConnections(4, nil)
	c.now = func() time.Time { return now }
	open := func(states ...http.ConnState) *pipe {
		p := new(pipe)
		c.Track(p, http.StateNew)
		for _, s := range states {
			c.Track(p, s)
		}
		now = now.Add(time.Millisecond)
		return p
	}
	idle := open(http.StateActive, http.StateIdle)
	busy := open(http.StateActive)
	receiving := open(http.StateActive)
	c.set(receiving, phaseReceiving)
	now = now.Add(time.Millisecond)
	silent := open()
	now = now.Add(10 * time.Second)
	fresh := open()
	if !receiving.closed || silent.closed || idle.closed || busy.closed || fresh.closed {
		t.Error("the body that stalled first did not go first")
	}
	open(http.StateActive)
	open(http.StateActive)
	if !silent.closed || !idle.closed || fresh.closed {
		t.Errorf("silent closed %v, idle %v, fresh %v", silent.closed, idle.closed, fresh.closed)
	}
	c.Track(fresh, http.StateActive)
	if late := open(); !late.closed || busy.closed {
		t.Error("one that is busy made room")
	}
	c.Track(busy, http.StateClosed)
	if late := open(); late.closed || len(c.open) != 4 {
		t.Errorf("closed, %d open", len(c.open))
	}
	for state, want := range map[phase]float64{phaseReceiving: 1, phaseNew: 1, phaseIdle: 1, refusedPhase: 1} {
		if got := testutil.ToFloat64(c.dropped.WithLabelValues(string(state))); got != want {
			t.Errorf("%v %s, want %v", got, state, want)
		}
	}
}
