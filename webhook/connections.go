package webhook

import (
	"crypto/tls"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"
)

// newFor is how long a connection that has not sent a request yet is given
// before idle ones go instead of it.
const newFor = time.Second

// Connections bounds the connections of servers. Where there are as many as
// there may be, one that waits for its client goes for the one that comes, so
// that clients which open connections and send nothing are in nobody's way.
// Only where all have a request in hand is the one that comes closed.
type Connections struct {
	limit   int
	now     func() time.Time
	dropped *prometheus.CounterVec

	mu   sync.Mutex // guards what follows
	open map[net.Conn]connection
}

type connection struct {
	state http.ConnState
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
			Help: "Connections closed because there were as many as --web.max-connections, by what they did: idle, new (no request yet), or refused where all others had a request in hand.",
		}, []string{"state"}),
	}
	for _, s := range []string{"idle", "new", "refused"} {
		c.dropped.WithLabelValues(s)
	}
	return c
}

// Track is http.Server.ConnState.
func (c *Connections) Track(conn net.Conn, state http.ConnState) {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch state {
	case http.StateNew:
		if len(c.open) >= c.limit && !c.makeRoom() {
			c.dropped.WithLabelValues("refused").Inc()
			cut(conn)
			return
		}
		c.open[conn] = connection{state, c.now()}
	case http.StateActive, http.StateIdle:
		if _, ok := c.open[conn]; ok {
			c.open[conn] = connection{state, c.now()}
		}
	case http.StateClosed, http.StateHijacked:
		delete(c.open, conn)
	}
}

// makeRoom closes a connection that waits for its client: the oldest that has
// never sent a request, then the one that is idle for longest.
func (c *Connections) makeRoom() bool {
	var victim net.Conn
	best, bestRank := connection{}, 0
	for conn, is := range c.open {
		rank := 0
		switch {
		case is.state == http.StateNew && c.now().Sub(is.since) >= newFor:
			rank = 3
		case is.state == http.StateIdle:
			rank = 2
		case is.state == http.StateNew:
			rank = 1
		}
		if rank > bestRank || (rank == bestRank && rank > 0 && is.since.Before(best.since)) {
			victim, best, bestRank = conn, is, rank
		}
	}
	if victim == nil {
		return false
	}
	delete(c.open, victim)
	c.dropped.WithLabelValues(best.state.String()).Inc()
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
