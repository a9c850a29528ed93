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
	"github.com/alertscaler/alertscaler/scaler/sparselog"
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
// Of a notification that has more than the book has room for, the rest is in
// the book all the same.
//
// The content type is not looked at: proxies rewrite it, and what is not JSON
// is found out anyway.
type receiver struct {
	next    Receiver
	max     int64
	intake  *intake
	metrics *metrics
	logger  log.Logger
	sparse  *sparselog.Logger
	buffers sync.Pool // of *bytes.Buffer
}

func newReceiver(o Options, in *intake, m *metrics) *receiver {
	return &receiver{
		next:    o.Receiver,
		max:     o.MaxBody,
		intake:  in,
		metrics: m,
		logger:  log.With(o.Logger, "component", "webhook"),
		sparse:  sparselog.New(),
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

	n, done, refusal := h.read(w, r)
	defer done()
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
	h.sparse.Log(logger, "msg", "notification refused", "code", code, "remote", r.RemoteAddr, "err", refusal.err)
	http.Error(w, oneLine(refusal.err), code)
}

// refusal is an answer other than 202, with one line of reason.
type refusal struct {
	code int
	err  error
}

// read takes the notification from the request. The caller calls done once
// the notification needs no memory any more.
func (h *receiver) read(w http.ResponseWriter, r *http.Request) (n alerts.Notification, done func(), _ *refusal) {
	nothing := func() {}
	switch encoding := r.Header.Get("Content-Encoding"); {
	case r.Method != http.MethodPost:
		return n, nothing, &refusal{http.StatusMethodNotAllowed, fmt.Errorf("method %.20q is not allowed, want POST", r.Method)}
	case r.ContentLength > h.max:
		return n, nothing, h.tooLarge()
	case encoding != "" && encoding != "identity":
		return n, nothing, &refusal{http.StatusBadRequest, fmt.Errorf(
			"Content-Encoding %.20q is not understood: Alertmanager does not compress, so that a proxy between must not either", encoding)}
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

	done, err := h.intake.receive(w, r, buf, h.max)
	switch {
	case err == nil:
	case errors.Is(err, errDisplaced), errors.Is(err, errNoRoom):
		return n, done, &refusal{http.StatusServiceUnavailable, err}
	case errors.Is(err, os.ErrDeadlineExceeded):
		return n, done, &refusal{http.StatusRequestTimeout, fmt.Errorf("the body did not arrive within %s", h.intake.timeout)}
	default:
		if _, ok := errors.AsType[*http.MaxBytesError](err); ok {
			return n, done, h.tooLarge()
		}
		return n, done, &refusal{http.StatusBadRequest, err}
	}

	n, err = parse(buf.Bytes())
	if err != nil {
		return n, done, &refusal{http.StatusBadRequest, err}
	}
	return n, done, nil
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
		code := http.StatusServiceUnavailable
		if errors.Is(err, alerts.ErrTooLarge) {
			code = http.StatusRequestEntityTooLarge
		}
		return &refusal{code, fmt.Errorf("the alerts could not be taken in: %w", err)}
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
