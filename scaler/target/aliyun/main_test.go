package aliyun

import (
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/alertscaler/alertscaler/scaler/target"
	"github.com/alertscaler/alertscaler/scaler/target/aliyun/aliyuntest"
)

const (
	testRegion = "cn-hangzhou"
	testGroup  = "asg-bp18p2yfxow2dloq0001"
	testKey    = "LTAI0000000000000001"
	testSecret = "secret-1"
)

// web is a group of two instances that boot soon.
func web() aliyuntest.Group {
	return aliyuntest.Group{
		ID: testGroup, Name: "shop-web", Region: testRegion, Max: 10, Count: 2,
		Boot: 20 * time.Millisecond, Stop: 10 * time.Millisecond,
	}
}

// expecting is web with an expected number of instances.
func expecting() aliyuntest.Group {
	g := web()
	g.Expected = true
	return g
}

// api serves groups and returns the server and its host.
func api(t testing.TB, groups ...aliyuntest.Group) (*aliyuntest.Server, string) {
	t.Helper()
	s := &aliyuntest.Server{Users: map[string]aliyuntest.User{testKey: {Secret: testSecret}}}
	s.Add(groups...)
	return s, serve(t, s)
}

func serve(t testing.TB, h http.Handler) string {
	t.Helper()
	srv := httptest.NewServer(h)
	t.Cleanup(func() {
		srv.CloseClientConnections()
		srv.Close()
	})
	return strings.TrimPrefix(srv.URL, "http://")
}

func unreachable(t testing.TB) string {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	return ln.Addr().String()
}

// hangs takes requests and never answers.
func hangs(_ http.ResponseWriter, r *http.Request) {
	_, _ = io.Copy(io.Discard, r.Body)
	<-r.Context().Done()
}

// access is that of the test's user.
func access(host string) Access {
	return Access{Region: testRegion, Endpoint: host, Protocol: "http", AccessKeyID: testKey, AccessKeySecret: testSecret}
}

// quick are clients that keep nothing for long.
func quick() *Clients {
	return &Clients{snapshotAge: 5 * time.Millisecond, followEvery: 5 * time.Millisecond, showsWithin: 2 * time.Second}
}

func build(t testing.TB, cfg *Config) *group {
	t.Helper()
	if err := cfg.Validate(); err != nil {
		t.Fatal(err)
	}
	tgt, err := cfg.New(target.Options{Policy: "shop", Name: "east"})
	if err != nil {
		t.Fatal(err)
	}
	return tgt.(*group)
}

// at returns a target on the group that web describes.
func at(t testing.TB, host string) *group {
	t.Helper()
	return build(t, &Config{ScalingGroupID: testGroup, Access: access(host), clients: quick()})
}

func current(t testing.TB, tgt target.Target) target.State {
	t.Helper()
	st, err := tgt.Current(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return st
}

// until waits for a state.
func until(t testing.TB, tgt target.Target, what string, ok func(target.State) bool) target.State {
	t.Helper()
	var st target.State
	for end := time.Now().Add(10 * time.Second); time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
		if st = current(t, tgt); ok(st) {
			return st
		}
	}
	t.Fatalf("%+v after ten seconds, want %s", st, what)
	return st
}

// both runs a test on a group that has an expected number and on one without.
func both(t *testing.T, test func(*testing.T, aliyuntest.Group)) {
	t.Helper()
	t.Run("expected", func(t *testing.T) { t.Parallel(); test(t, expecting()) })
	t.Run("activities", func(t *testing.T) { t.Parallel(); test(t, web()) })
}
