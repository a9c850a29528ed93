package webhook

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-kit/log"
	"github.com/prometheus/alertmanager/pkg/labels"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/alertscaler/alertscaler/scaler/alerts"
	"github.com/alertscaler/alertscaler/scaler/ledger"
	"github.com/alertscaler/alertscaler/scaler/policy"
	"github.com/alertscaler/alertscaler/scaler/realtest"
)

const (
	// groupsPerSender is how many groups of alerts each connection speaks for.
	groupsPerSender = 8
	// turn is how long one handler is sent to before it is the other's turn,
	// so that a busy machine slows both down; turns of each are what the
	// median is taken of.
	turn  = 400 * time.Millisecond
	turns = 11

	stampFormat = "2006-01-02T15:04:05.000000000Z"
)

// BenchmarkThroughput is the whole handler, with a book of a policy a group
// and a ledger that syncs to disk, against one that reads and decodes the same
// bodies within the same limits and answers 202. Both are sent the same over
// loopback, in turns. A body that changes something has all its alerts fire
// anew, so that all of them must be on disk before the answer.
func BenchmarkThroughput(b *testing.B) {
	for _, alertsPerBody := range []int{2, 10} {
		for _, load := range []struct{ senders, changes int }{{10, 0}, {10, 1}, {10, 10}, {64, 10}, {256, 10}, {10, 100}, {256, 100}} {
			b.Run(fmt.Sprintf("alerts=%d/senders=%d/changes=%d%%", alertsPerBody, load.senders, load.changes), func(b *testing.B) {
				benchmarkThroughput(b, alertsPerBody, load.senders, load.changes)
			})
		}
	}
}

func benchmarkThroughput(b *testing.B, alertsPerBody, senders, changes int) {
	reg := prometheus.NewRegistry()
	led, err := ledger.Open(ledger.Options{Path: b.TempDir(), Registerer: reg})
	if err != nil {
		b.Fatal(err)
	}
	defer led.Close()
	book, err := alerts.New(alerts.Options{Store: led, WriteInterval: alerts.DiskWriteInterval, Rules: rulesOf(b, senders*groupsPerSender), OnChange: func([]string) {}})
	if err != nil {
		b.Fatal(err)
	}
	whole, _ := serve(b, &fake{}, func(o *Options) { o.Receiver = keep{book} })

	var sides [2]*side
	for i, h := range []http.Handler{newLeast(), whole} {
		sides[i] = newSide(b, h, alertsPerBody, senders, changes)
		defer sides[i].close()
		sides[i].turn(b) // what fires for the first time is a change
	}
	var (
		answered, cpu [2]float64
		ratios        []float64
	)
	before := counter(b, reg, "alertscaler_ledger_commits_total")
	for b.Loop() {
		for n := range turns {
			var now [2]float64
			for i := range sides {
				i = (i + n) % 2 // the one that begins is not always the same
				used := realtest.CPUTime(b)
				now[i] = float64(sides[i].turn(b))
				answered[i] += now[i]
				cpu[i] += (realtest.CPUTime(b) - used).Seconds()
			}
			ratios = append(ratios, now[1]/now[0])
		}
	}
	slices.Sort(ratios)
	seconds := float64(len(ratios)) * turn.Seconds()
	b.ReportMetric(0, "ns/op") // the turns of both together say nothing
	b.ReportMetric(ratios[len(ratios)/2], "of-decode-only")
	b.ReportMetric(cpu[1]/answered[1]/(cpu[0]/answered[0]), "x-cpu")
	b.ReportMetric(answered[0]/seconds, "decode-only-bodies/s")
	b.ReportMetric(answered[1]/seconds, "bodies/s")
	b.ReportMetric((counter(b, reg, "alertscaler_ledger_commits_total")-before)/answered[1], "syncs/body")
}

// least is the least that a receiver within the same limits can do.
type least struct {
	*receiver
	timeout time.Duration
}

func newLeast() *least {
	return &least{newReceiver(Options{MaxBody: DefaultMaxBody, Logger: log.NewNopLogger()}, nil, nil), DefaultReadTimeout}
}

func (h *least) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	buf := h.buffers.Get().(*bytes.Buffer)
	defer func() {
		buf.Reset()
		h.buffers.Put(buf)
	}()
	conn := http.NewResponseController(w)
	_ = conn.SetReadDeadline(time.Now().Add(h.timeout))
	if _, err := buf.ReadFrom(http.MaxBytesReader(w, r.Body, h.max)); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	_ = conn.SetReadDeadline(time.Time{})
	var m wholeMessage
	if err := json.Unmarshal(buf.Bytes(), &m); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	w.WriteHeader(http.StatusAccepted)
}

// side is one of the two handlers with those who send to it.
type side struct {
	srv     *httptest.Server
	senders []*sender
}

func newSide(b *testing.B, h http.Handler, alertsPerBody, senders, changes int) *side {
	b.Helper()
	s := &side{srv: httptest.NewServer(h)}
	every := 0
	if changes > 0 {
		every = 100 / changes
	}
	for i := range senders {
		conn, err := net.Dial("tcp", s.srv.Listener.Addr().String())
		if err != nil {
			b.Fatal(err)
		}
		// The changes of the senders are spread over a turn.
		c := &sender{conn: conn, answers: bufio.NewReader(conn), every: every, sent: i}
		for g := range groupsPerSender {
			c.bodies = append(c.bodies, newGroupPost(b, i*groupsPerSender+g, alertsPerBody))
		}
		s.senders = append(s.senders, c)
	}
	return s
}

func (s *side) close() {
	for _, c := range s.senders {
		c.conn.Close()
	}
	s.srv.Close()
}

// turn has all senders send at once, each one body after the other, and returns
// how many were answered in time.
func (s *side) turn(b *testing.B) int64 {
	var (
		wg       sync.WaitGroup
		answered atomic.Int64
		end      = time.Now().Add(turn)
	)
	for _, c := range s.senders {
		wg.Go(func() {
			for time.Now().Before(end) {
				if err := c.send(); err != nil {
					b.Error(err)
					return
				}
				if time.Now().Before(end) {
					answered.Add(1)
				}
			}
		})
	}
	wg.Wait()
	return answered.Load()
}

// sender is one connection of an Alertmanager. It is as cheap as can be: it
// runs on the processors of the handler that it measures.
type sender struct {
	conn    net.Conn
	answers *bufio.Reader
	bodies  []*groupPost
	sent    int
	every   int // one body in so many changes something; 0: none
}

func (s *sender) send() error {
	s.sent++
	r := s.bodies[s.sent%len(s.bodies)]
	if s.every > 0 && s.sent%s.every == 0 {
		r.fireAnew()
	}
	if _, err := s.conn.Write(r.raw); err != nil {
		return err
	}
	status, err := s.answers.ReadSlice('\n')
	if err != nil {
		return err
	}
	if !bytes.HasPrefix(status, []byte("HTTP/1.1 202 ")) {
		return errors.New(string(status))
	}
	for {
		line, err := s.answers.ReadSlice('\n')
		if err != nil || len(line) == 2 {
			return err
		}
	}
}

// groupPost is a whole POST of one group of alerts.
type groupPost struct {
	raw    []byte
	stamps []int // where the alerts' startsAt are in it
	at     time.Time
}

// newGroupPost makes it of what Alertmanager once sent, with other names and
// more alerts.
func newGroupPost(b *testing.B, group, n int) *groupPost {
	b.Helper()
	text, err := os.ReadFile("../testdata/webhook/firing_v0.34.good.json")
	if err != nil {
		b.Fatal(err)
	}
	text = bytes.ReplaceAll(text, []byte(`"web"`), []byte(`"`+serviceName(group)+`"`))
	text = bytes.ReplaceAll(text, []byte(`\"web\"`), []byte(`\"`+serviceName(group)+`\"`))
	var (
		m    map[string]any
		sent struct {
			Alerts []map[string]any `json:"alerts"`
		}
	)
	if err := errors.Join(json.Unmarshal(text, &m), json.Unmarshal(text, &sent)); err != nil {
		b.Fatal(err)
	}
	r := &groupPost{at: t0}
	var all []map[string]any
	for i := range n {
		a := maps.Clone(sent.Alerts[i%len(sent.Alerts)])
		labels := map[string]string{"instance": fmt.Sprintf("10.0.%d.%d:8080", group, i)}
		for name, value := range a["labels"].(map[string]any) {
			labels[name] = value.(string)
		}
		a["labels"], a["fingerprint"] = labels, alerts.Fingerprint(labels)
		a["startsAt"] = r.at.Format(stampFormat)
		all = append(all, a)
	}
	m["alerts"] = all
	body, err := json.Marshal(m)
	if err != nil {
		b.Fatal(err)
	}
	r.raw = fmt.Appendf(nil, "POST /webhook HTTP/1.1\r\nHost: alertscaler\r\nUser-Agent: Alertmanager/0.34.0\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s", len(body), body)
	stamp := []byte(r.at.Format(stampFormat))
	for from := 0; ; {
		i := bytes.Index(r.raw[from:], stamp)
		if i < 0 {
			break
		}
		r.stamps = append(r.stamps, from+i)
		from += i + len(stamp)
	}
	if len(r.stamps) != n {
		b.Fatalf("%d alerts of %d", len(r.stamps), n)
	}
	return r
}

// fireAnew has all its alerts fire again, a second later.
func (r *groupPost) fireAnew() {
	r.at = r.at.Add(time.Second)
	stamp := r.at.Format(stampFormat)
	for _, i := range r.stamps {
		copy(r.raw[i:], stamp)
	}
}

func serviceName(i int) string { return "service-" + strconv.Itoa(i) }

func rulesOf(b *testing.B, n int) []alerts.Rule {
	b.Helper()
	var rs []alerts.Rule
	for i := range n {
		for _, d := range []policy.Direction{policy.Up, policy.Down} {
			ms, err := labels.ParseMatchers(fmt.Sprintf(`{scale=%q,scale_target=%q}`, d, serviceName(i)))
			if err != nil {
				b.Fatal(err)
			}
			rs = append(rs, alerts.Rule{Policy: serviceName(i), Direction: d, Matchers: ms})
		}
	}
	return rs
}

// counter returns the value of a counter without labels.
func counter(b *testing.B, reg *prometheus.Registry, name string) float64 {
	b.Helper()
	families, err := reg.Gather()
	if err != nil {
		b.Fatal(err)
	}
	for _, f := range families {
		if f.GetName() == name {
			return f.GetMetric()[0].GetCounter().GetValue()
		}
	}
	b.Fatalf("no metric %s", name)
	return 0
}
