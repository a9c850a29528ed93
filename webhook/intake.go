package webhook

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"sync"
	"time"
)

const (
	// stalledAfter is how long nothing must have come of a body before another
	// one may have its place.
	stalledAfter = 500 * time.Millisecond
	// askForRoom is how often whoever waits for room looks for a body that has
	// stalled.
	askForRoom = 50 * time.Millisecond
	// minBytesInFlight is the least that all bodies together may take, so that
	// several of the largest have room.
	minBytesInFlight = 32 << 20
)

var (
	errDisplaced = errors.New("the body did not arrive for so long that another request was given its place")
	errNoRoom    = errors.New("too many requests at once")
)

// intake bounds the bodies that are being received and worked on. Where there
// is no room for one more, the one that has stalled for longest goes, so that
// senders that never end their bodies are in nobody's way.
type intake struct {
	maxBytes  int64 // of all bodies together, by what they claim
	maxBodies int   // that are worked on, those being received among them
	maxSlow   int   // that are being received
	timeout   time.Duration
	now       func() time.Time

	mu        sync.Mutex // guards what follows, and the arrivals' fields
	bytes     int64
	bodies    int
	receiving map[*arrival]struct{}
	waiting   int
	freed     chan struct{} // closed and replaced once there is more room for those who wait
}

func newIntake(connections int, maxBody int64, timeout time.Duration) *intake {
	return &intake{
		maxBytes:  max(minBytesInFlight, 2*maxBody),
		maxBodies: max(connections/2, 1),
		maxSlow:   max(connections/4, 1),
		timeout:   timeout,
		now:       time.Now,
		receiving: make(map[*arrival]struct{}),
		freed:     make(chan struct{}),
	}
}

// arrival is one body, from before it is read until it is worked off.
type arrival struct {
	in        *intake
	bytes     int64
	conn      *http.ResponseController
	last      time.Time // when something of it came
	displaced bool
	received  bool
	ended     bool
}

// begin returns once there is room for a body of so many bytes, or an error
// where there is none within the timeout.
func (in *intake) begin(conn *http.ResponseController, bytes int64) (*arrival, error) {
	a := &arrival{in: in, bytes: bytes, conn: conn}
	if in.admit(a) {
		return a, nil
	}
	end := time.NewTimer(in.timeout)
	defer end.Stop()
	in.wait(1)
	defer in.wait(-1)
	for {
		freed := in.displace()
		if in.admit(a) {
			return a, nil
		}
		select {
		case <-freed:
		case <-time.After(askForRoom):
		case <-end.C:
			return nil, errNoRoom
		}
	}
}

func (in *intake) wait(by int) {
	in.mu.Lock()
	defer in.mu.Unlock()
	in.waiting += by
}

// admit gives a body its room, if there is some. Large bodies, and those that do
// not say how large they are, leave a quarter of the bytes to others: as much as
// all that may be received at once take if none is large.
func (in *intake) admit(a *arrival) bool {
	in.mu.Lock()
	defer in.mu.Unlock()
	room := in.maxBytes
	if reserve := in.maxBytes / 4; a.bytes > reserve/int64(in.maxSlow) {
		room -= reserve
	}
	if in.bytes+a.bytes > room || in.bodies >= in.maxBodies || len(in.receiving) >= in.maxSlow {
		return false
	}
	in.bytes += a.bytes
	in.bodies++
	in.receiving[a] = struct{}{}
	a.last = in.now()
	return true
}

// displace ends the body that has stalled for longest, if one has, and returns
// what is closed once there is more room.
func (in *intake) displace() <-chan struct{} {
	in.mu.Lock()
	defer in.mu.Unlock()
	var longest *arrival
	for a := range in.receiving {
		if !a.displaced && in.now().Sub(a.last) >= stalledAfter && (longest == nil || a.last.Before(longest.last)) {
			longest = a
		}
	}
	if longest != nil {
		longest.displaced = true
		_ = longest.conn.SetReadDeadline(time.Unix(1, 0)) // ends its read
	}
	return in.freed
}

// note says that something of the body has come.
func (a *arrival) note() {
	a.in.mu.Lock()
	a.last = a.in.now()
	a.in.mu.Unlock()
}

// arrived says that the body is there, or will not be. Its room is kept.
func (a *arrival) arrived() {
	a.in.mu.Lock()
	defer a.in.mu.Unlock()
	a.leave()
}

func (a *arrival) leave() {
	if !a.received {
		a.received = true
		delete(a.in.receiving, a)
		a.in.signal()
	}
}

// end gives its room up. It may be called more than once.
func (a *arrival) end() {
	a.in.mu.Lock()
	defer a.in.mu.Unlock()
	a.leave()
	if !a.ended {
		a.ended = true
		a.in.bytes -= a.bytes
		a.in.bodies--
		a.in.signal()
	}
}

func (in *intake) signal() {
	if in.waiting == 0 {
		return
	}
	close(in.freed)
	in.freed = make(chan struct{})
}

// receive reads the body of r into buf, within its bounds of size and time,
// and returns what gives its room up.
func (in *intake) receive(w http.ResponseWriter, r *http.Request, buf *bytes.Buffer, maximum int64) (done func(), err error) {
	claim := r.ContentLength
	if claim < 0 {
		claim = maximum
	}
	conn := http.NewResponseController(w)
	tell(r, phaseReceiving)
	defer tell(r, phaseBusy)
	a, err := in.begin(conn, claim)
	if err != nil {
		return func() {}, err
	}
	defer a.arrived()
	// A deadline that outlives the body would cancel the request's context
	// while the book is at work. Servers that cannot set one, as in tests,
	// bound the request by other means.
	_ = conn.SetReadDeadline(in.now().Add(in.timeout))
	body := http.MaxBytesReader(w, r.Body, maximum)
	_, err = buf.ReadFrom(noted{body, a})
	in.mu.Lock()
	displaced := a.displaced
	if !displaced {
		a.leave() // so that it is not displaced any more
	}
	in.mu.Unlock()
	if displaced {
		err = errDisplaced
	}
	if err != nil {
		return a.end, in.describe(err, buf.Len())
	}
	_ = conn.SetReadDeadline(time.Time{})
	w.Header().Del("Connection") // nothing of the body is left; see closeUnread
	return a.end, nil
}

// describe says what went wrong with a body.
func (in *intake) describe(err error, received int) error {
	switch {
	case errors.Is(err, errDisplaced):
		return err
	case errors.Is(err, os.ErrDeadlineExceeded):
		return fmt.Errorf("the body did not arrive within %s: %w", in.timeout, os.ErrDeadlineExceeded)
	}
	if _, ok := errors.AsType[*http.MaxBytesError](err); ok {
		return err
	}
	return fmt.Errorf("read body after %d bytes: %w", received, err)
}

// noted notes when something of the body comes.
type noted struct {
	body io.Reader
	a    *arrival
}

func (n noted) Read(p []byte) (int, error) {
	got, err := n.body.Read(p)
	if got > 0 {
		n.a.note()
	}
	return got, err
}
