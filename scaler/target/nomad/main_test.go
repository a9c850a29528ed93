package nomad

import (
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/alertscaler/alertscaler/scaler/target"
	"github.com/alertscaler/alertscaler/scaler/target/nomad/nomadtest"
)

// web is a service job that is ready soon.
func web() nomadtest.Job {
	return nomadtest.Job{ID: "shop/web", Group: "frontend", Type: "service", Count: 2}
}

// agent serves jobs and returns the server and its address.
func agent(t testing.TB, jobs ...nomadtest.Job) (*nomadtest.Server, string) {
	t.Helper()
	var s nomadtest.Server
	for _, j := range jobs {
		s.Register(j)
	}
	return &s, serve(t, &s)
}

func serve(t testing.TB, h http.Handler) string {
	t.Helper()
	srv := httptest.NewServer(h)
	t.Cleanup(func() {
		srv.CloseClientConnections()
		srv.Close()
	})
	return srv.URL
}

func unreachable(t testing.TB) string {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	return "http://" + ln.Addr().String()
}

// hangs takes requests and never answers.
func hangs(_ http.ResponseWriter, r *http.Request) {
	_, _ = io.Copy(io.Discard, r.Body)
	<-r.Context().Done()
}

// build returns a target that the test's end does not close.
func build(t testing.TB, cfg *Config) target.Target {
	t.Helper()
	if err := cfg.Validate(); err != nil {
		t.Fatal(err)
	}
	tgt, err := cfg.New(target.Options{Policy: "shop", Name: "east"})
	if err != nil {
		t.Fatal(err)
	}
	return tgt
}

// at returns a target on the job that web describes.
func at(t testing.TB, address string) target.Target {
	t.Helper()
	return build(t, &Config{Address: address, Job: "shop/web", Group: "frontend"})
}
