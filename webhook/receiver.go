package webhook

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"strconv"
	"sync"
	"time"

	"github.com/go-kit/log"
	"github.com/go-kit/log/level"

	"github.com/alertscaler/alertscaler/scaler/alerts"
)

const (
	webhookPath = "/webhook"
	// firstRead is how much is set aside for a body before it arrives, so
	// that a claimed length costs nothing.
	firstRead = 64 << 10
	// pooledBody is the largest buffer kept for the next request.
	pooledBody = 256 << 10
)

// receiver is POST /webhook. The codes are chosen by what Alertmanager does
// with them: it repeats a notification within the flush after a 5xx, at the
// next group_interval after a 4xx, and not at all after a 2xx. So 202 means
// that the notification was understood and is in the book, whatever will be
// made of it; 503 that sending it again will help; and 4xx that it will not.
//
// The content type is not looked at: proxies rewrite it, and what is not JSON
// is found out anyway.
type receiver struct {
	next    Receiver
	max     int64
	timeout time.Duration
	metrics *metrics
	logger  log.Logger
	buffers sync.Pool // of *bytes.Buffer
}

func newReceiver(o Options, m *metrics) *receiver {
	return &receiver{
		next:    o.Receiver,
		max:     o.MaxBody,
		timeout: o.ReadTimeout,
		metrics: m,
		logger:  log.With(o.Logger, "component", "webhook"),
		buffers: sync.Pool{New: func() any { return new(bytes.Buffer) }},
	}
}

func (h *receiver) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	start := time.Now()
	code := http.StatusInternalServerError // a panic's
	defer func() {
		h.metrics.requests.WithLabelValues(strconv.Itoa(code)).Inc()
		h.metrics.duration.Observe(time.Since(start).Seconds())
	}()

	n, refusal := h.read(w, r)
	if refusal == nil {
		refusal = h.receive(r.Context(), n)
	}
	if refusal == nil {
		code = http.StatusAccepted
		w.WriteHeader(code)
		return
	}
	code = refusal.code
	if code == http.StatusMethodNotAllowed {
		w.Header().Set("Allow", http.MethodPost)
	}
	logger := level.Warn(h.logger)
	if code == http.StatusServiceUnavailable {
		logger = level.Error(h.logger)
	}
	logger.Log("msg", "notification refused", "code", code, "remote", r.RemoteAddr, "err", refusal.err)
	http.Error(w, oneLine(refusal.err), code)
}

// refusal is an answer other than 202, with one line of reason.
type refusal struct {
	code int
	err  error
}

// read takes the notification from the request.
func (h *receiver) read(w http.ResponseWriter, r *http.Request) (alerts.Notification, *refusal) {
	var none alerts.Notification
	if r.Method != http.MethodPost {
		return none, &refusal{http.StatusMethodNotAllowed, fmt.Errorf("method %.20q is not allowed, want POST", r.Method)}
	}
	if r.ContentLength > h.max {
		return none, h.tooLarge()
	}

	buf := h.buffers.Get().(*bytes.Buffer)
	defer func() {
		if buf.Cap() <= pooledBody {
			buf.Reset()
			h.buffers.Put(buf)
		}
	}()
	if r.ContentLength > 0 {
		buf.Grow(int(min(r.ContentLength, firstRead)) + bytes.MinRead)
	}

	// A deadline that outlives the body would cancel the request's context
	// while the book is at work. Servers that cannot set one, as in tests,
	// bound the request by other means.
	conn := http.NewResponseController(w)
	_ = conn.SetReadDeadline(time.Now().Add(h.timeout))
	_, err := buf.ReadFrom(http.MaxBytesReader(w, r.Body, h.max))
	switch {
	case err == nil:
	case errors.Is(err, os.ErrDeadlineExceeded):
		w.Header().Set("Connection", "close")
		return none, &refusal{http.StatusRequestTimeout, fmt.Errorf("the body did not arrive within %s", h.timeout)}
	default:
		if _, ok := errors.AsType[*http.MaxBytesError](err); ok {
			return none, h.tooLarge()
		}
		return none, &refusal{http.StatusBadRequest, fmt.Errorf("read body after %d bytes: %w", buf.Len(), err)}
	}
	_ = conn.SetReadDeadline(time.Time{})

	n, err := parse(buf.Bytes())
	if err != nil {
		return none, &refusal{http.StatusBadRequest, err}
	}
	return n, nil
}

func (h *receiver) tooLarge() *refusal {
	return &refusal{
		http.StatusRequestEntityTooLarge,
		fmt.Errorf("the body is larger than %d bytes; set max_alerts in the receiver's webhook_configs", h.max),
	}
}

// receive hands the notification on.
func (h *receiver) receive(ctx context.Context, n alerts.Notification) *refusal {
	if err := h.next.Receive(ctx, n); err != nil {
		return &refusal{http.StatusServiceUnavailable, fmt.Errorf("the alerts could not be taken in: %w", err)}
	}
	firing := 0
	for i := range n.Alerts {
		if n.Alerts[i].Status == alerts.Firing {
			firing++
		}
	}
	h.metrics.alerts.WithLabelValues(string(alerts.Firing)).Add(float64(firing))
	h.metrics.alerts.WithLabelValues(string(alerts.Resolved)).Add(float64(len(n.Alerts) - firing))
	return nil
}
