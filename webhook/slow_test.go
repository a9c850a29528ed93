package webhook

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/alertscaler/alertscaler/scaler/alerts"
	"github.com/alertscaler/alertscaler/scaler/realtest"
)

// narrow is a listener whose connections keep little of what nobody reads; left
// alone Linux keeps up to 4 MiB.
type narrow struct{ net.Listener }

func (l narrow) Accept() (net.Conn, error) {
	conn, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return conn, conn.(*net.TCPConn).SetWriteBuffer(16 << 10)
}

// TestSlowReadersAreCutOff: clients that ask for long answers and do not read
// them keep nobody from reading, and are not waited for.
func TestSlowReadersAreCutOff(t *testing.T) {
	const n, size = 30, 40_000
	f := world()
	for i := range n {
		f.firing = append(f.firing, alerts.Alert{Fingerprint: fmt.Sprintf("b%d", i), Annotations: map[string]string{"a": strings.Repeat("x", size)}})
	}
	h, _ := serve(t, f, func(o *Options) { o.WriteTimeout, o.leastRate = time.Second, 1<<30 })
	srv := httptest.NewUnstartedServer(CloseUnread(h))
	srv.Listener = narrow{srv.Listener}
	srv.Start()
	defer srv.Close()
	for range maxAnswers + 4 {
		conn, err := net.Dial("tcp", srv.Listener.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		if _, err := io.WriteString(conn, "GET /api/v1/alerts?limit=5000 HTTP/1.1\r\nHost: localhost\r\n\r\n"); err != nil {
			t.Fatal(err)
		}
	}
	// A reader that takes it is given it all, however many there are.
	realtest.Eventually(t, 60*time.Second, 100*time.Millisecond, "others are answered", func() error {
		resp, err := http.Get(srv.URL + "/api/v1/alerts?limit=5000")
		if err != nil {
			return err
		}
		defer resp.Body.Close()
		text, err := io.ReadAll(resp.Body)
		if err != nil || resp.StatusCode != http.StatusOK || len(text) < n*size {
			return fmt.Errorf("%s, %d bytes, %w", resp.Status, len(text), err)
		}
		return nil
	})
	for _, path := range []string{"/metrics", "/-/healthy"} {
		resp, err := http.Get(srv.URL + path)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if resp.StatusCode != http.StatusOK {
			t.Errorf("%s: %s", path, resp.Status)
		}
	}
}

// TestStalledBodiesGiveWay to one that comes, and only those.
func TestStalledBodiesGiveWay(t *testing.T) {
	h, _ := serve(t, &fake{}, func(o *Options) { o.MaxConnections, o.ReadTimeout = 4, 20*time.Second }) // one body at a time
	srv := httptest.NewServer(CloseUnread(h))
	defer srv.Close()
	stalled, err := net.Dial("tcp", srv.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer stalled.Close()
	if _, err := io.WriteString(stalled, "POST /webhook HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\nx"); err != nil {
		t.Fatal(err)
	}
	time.Sleep(50 * time.Millisecond) // it is the one that is received, or comes second and waits
	start := time.Now()
	resp, err := http.Post(srv.URL+"/webhook", "application/json", strings.NewReader(`{"version":"4","alerts":[]}`))
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if resp.StatusCode != http.StatusAccepted || time.Since(start) > 10*time.Second {
		t.Errorf("%s after %s", resp.Status, time.Since(start))
	}
	text, err := io.ReadAll(stalled)
	if err != nil && !errors.Is(err, io.EOF) {
		t.Fatal(err)
	}
	if !strings.Contains(string(text), "503 Service Unavailable") || !strings.Contains(string(text), "another request was given its place") {
		t.Errorf("the one that stalled is answered %q", text)
	}
}
