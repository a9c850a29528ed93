package gcp

import (
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"github.com/alertscaler/alertscaler/scaler/target"
	"github.com/alertscaler/alertscaler/scaler/target/gcp/gcptest"
	"github.com/alertscaler/alertscaler/scaler/target/targettest"
)

const (
	scalerAccount = "alertscaler@shop.iam.gserviceaccount.com"
	zone          = "europe-west1-b"
	region        = "europe-west1"
)

// google is a server and how to get at it.
type google struct {
	*gcptest.Server
	url string
	// key is the file with the key of scalerAccount.
	key string
}

// serve starts s, with operations and a lag that take a little, where it has
// none of its own.
func serve(t testing.TB, s *gcptest.Server) google {
	t.Helper()
	if s.OperationTime == 0 {
		s.OperationTime = 30 * time.Millisecond
	}
	if s.Lag == 0 {
		s.Lag = 20 * time.Millisecond
	}
	g := google{Server: s, url: listen(s)}
	g.key = g.keyOf(t, scalerAccount)
	return g
}

// keyOf writes the key of a service account, with these permissions or all.
func (g google) keyOf(t testing.TB, email string, permissions ...string) string {
	t.Helper()
	b, err := g.KeyFile(g.url, email, permissions...)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "key.json")
	if err := os.WriteFile(file, b, 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// hosts are those that the tests' clients reach, without the network.
var hosts targettest.Hosts

// wired are clients that reach hosts, shared as the zero value's are.
func wired() *Clients { return &Clients{transport: &http.Client{Transport: &hosts}} }

func listen(h http.Handler) string { return "http://" + hosts.Serve(h) }

// virtual runs a test in virtual time, beside others.
func virtual(t *testing.T, test func(*testing.T)) {
	t.Helper()
	t.Parallel()
	synctest.Test(t, test)
}

// web is a group of that name, whose instances run soon.
func web() gcptest.Group {
	return gcptest.Group{Project: "shop", Zone: zone, Name: "web", Size: 2, Boot: 60 * time.Millisecond, Stop: 30 * time.Millisecond}
}

// config is that of a group.
func (g google) config(m gcptest.Group) *Config {
	return &Config{
		Account: Account{Project: m.Project, CredentialsFile: g.key, Endpoint: g.url},
		Zone:    m.Zone, Region: m.Region, Name: m.Name,
	}
}

// build returns a target that the test's end does not close.
func build(t testing.TB, cfg *Config) *group {
	t.Helper()
	if err := cfg.Validate(); err != nil {
		t.Fatal(err)
	}
	if cfg.clients == nil {
		cfg.clients = wired()
	}
	tgt, err := cfg.New(target.Options{Policy: "shop", Name: "east"})
	if err != nil {
		t.Fatal(err)
	}
	return tgt.(*group)
}

// scaling makes the group and returns a target on it.
func (g google) scaling(t testing.TB, m gcptest.Group) *group {
	t.Helper()
	g.Create(m)
	tgt := build(t, g.config(m))
	t.Cleanup(func() { _ = tgt.Close() })
	return tgt
}

func current(t testing.TB, tgt target.Target) target.State {
	t.Helper()
	st, err := tgt.Current(t.Context())
	if err != nil {
		t.Fatalf("Current: %v (kind %s)", err, target.KindOf(err))
	}
	return st
}

// eventually waits until the target's state is as wanted.
func eventually(t testing.TB, tgt target.Target, what string, ok func(target.State) bool) target.State {
	t.Helper()
	var st target.State
	for end := time.Now().Add(10 * time.Second); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		if st = current(t, tgt); ok(st) {
			return st
		}
	}
	t.Fatalf("%s: it is %+v", what, st)
	return st
}

// impatient makes answers good for a moment only, so that tests need not wait
// for what would be read in the next round.
func impatient(g *group) *group {
	g.client.groups.Age, g.client.instances.Age = time.Millisecond, time.Millisecond
	return g
}
