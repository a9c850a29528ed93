package webhook

import (
	"context"
	"crypto/tls"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"
)

// phase is what a connection does.
type phase string

const (
	phaseNew       phase = "new"       // has not sent a request yet
	phaseIdle      phase = "idle"      // between two requests
	phaseReceiving phase = "receiving" // its request has a body that has not come
	phaseAnswered  phase = "answered"  // its client has the answer and is to hang up
	phaseBusy      phase = "busy"      // its request is worked on
	refusedPhase   phase = "refused"   // comes while all others are busy
)

// patience is for how long a connection in that phase is waited for before one
// in another may go instead.
var patience = map[phase]time.Duration{
	phaseAnswered: 100 * time.Millisecond, phaseNew: time.Second, phaseReceiving: stalledAfter, phaseIdle: 0,
}

// Connections bounds the connections of servers. Where there are as many as
// there may be, one that waits for its client goes for the one that comes, so
// that clients which open connections and send nothing, or little, are in
// nobody's way. Only where all have a request that is worked on is the one
// that comes closed.
type Connections struct {
	limit   int
	now     func() time.Time
	dropped *prometheus.CounterVec

	mu   sync.Mutex // guards what follows
	open map[net.Conn]connection
}

type connection struct {
	phase phase
	since time.Time
}

// NewConnections returns the bound. The registerer may be nil.
func NewConnections(limit int, r prometheus.Registerer) *Connections {
	c := &Connections{
		limit: limit,
		now:   time.Now,
		open:  make(map[net.Conn]connection),
		dropped: promauto.With(r).NewCounterVec(prometheus.CounterOpts{
			Name: "alertscaler_http_connections_dropped_total",
			Help: "Connections closed because there were as many as --web.max-connections, by what they did; refused are those that came while all others were busy.",
		}, []string{"state"}),
	}
	for p := range patience {
		c.dropped.WithLabelValues(string(p))
	}
	c.dropped.WithLabelValues(string(refusedPhase))
	return c
}

// Track is http.Server.ConnState.
func (c *Connections) Track(conn net.Conn, state http.ConnState) {
	switch state {
	case http.StateNew:
		c.add(conn)
	case http.StateActive:
		c.set(conn, phaseBusy)
	case http.StateIdle:
		c.set(conn, phaseIdle)
	case http.StateClosed, http.StateHijacked:
		c.mu.Lock()
		defer c.mu.Unlock()
		delete(c.open, conn)
	}
}

func (c *Connections) add(conn net.Conn) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.open) >= c.limit && !c.makeRoom() {
		c.dropped.WithLabelValues(string(refusedPhase)).Inc()
		cut(conn)
		return
	}
	c.open[conn] = connection{phaseNew, c.now()}
}

func (c *Connections) set(conn net.Conn, p phase) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if _, ok := c.open[conn]; ok {
		c.open[conn] = connection{p, c.now()}
	}
}

// makeRoom closes the connection that has waited for its client for longest,
// of those whose patience is over if there are any.
func (c *Connections) makeRoom() bool {
	var (
		victim  net.Conn
		best    connection
		bestDue bool
	)
	for conn, is := range c.open {
		p, waits := patience[is.phase]
		if !waits {
			continue
		}
		// An idle client is one that has done nothing wrong.
		due := is.phase != phaseIdle && c.now().Sub(is.since) >= p
		if victim == nil || (due && !bestDue) || (due == bestDue && is.since.Before(best.since)) {
			victim, best, bestDue = conn, is, due
		}
	}
	if victim == nil {
		return false
	}
	delete(c.open, victim)
	c.dropped.WithLabelValues(string(best.phase)).Inc()
	cut(victim)
	return true
}

// cut closes a connection without a word: a farewell of TLS could wait.
func cut(conn net.Conn) {
	if t, ok := conn.(*tls.Conn); ok {
		conn = t.NetConn()
	}
	_ = conn.Close()
}

type connKey struct{}

// handle is a request's connection.
type handle struct {
	of   *Connections
	conn net.Conn
}

// Context is http.Server.ConnContext: by it requests tell what they wait for.
func (c *Connections) Context(ctx context.Context, conn net.Conn) context.Context {
	return context.WithValue(ctx, connKey{}, handle{c, conn})
}

// tell says what the connection of the request does. Of HTTP/2 there may be
// others on it, which do something else.
func tell(r *http.Request, p phase) {
	if h, ok := r.Context().Value(connKey{}).(handle); ok && r.ProtoMajor == 1 {
		h.of.set(h.conn, p)
	}
}
