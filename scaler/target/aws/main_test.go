package aws

import (
	"cmp"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/alertscaler/alertscaler/scaler/target"
	"github.com/alertscaler/alertscaler/scaler/target/aws/awstest"
	"github.com/alertscaler/alertscaler/scaler/target/targettest"
)

const region = "eu-central-1"

// TestMain gives the SDK shared files of its own: a profile for each user.
func TestMain(m *testing.M) {
	os.Exit(run(m))
}

func run(m *testing.M) int {
	dir, err := os.MkdirTemp("", "aws")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 2
	}
	defer os.RemoveAll(dir)
	for _, e := range os.Environ() {
		if name, _, _ := strings.Cut(e, "="); strings.HasPrefix(name, "AWS_") {
			os.Unsetenv(name)
		}
	}
	var files strings.Builder
	for profile, key := range map[string][2]string{
		"good":    {"AKIAGOOD", "good-secret"},
		"wrong":   {"AKIAGOOD", "another-secret"},
		"unknown": {"AKIANOBODY", "good-secret"},
		"least":   {"AKIALEAST", "least-secret"},
	} {
		fmt.Fprintf(&files, "[%s]\naws_access_key_id = %s\naws_secret_access_key = %s\n", profile, key[0], key[1])
	}
	for name, content := range map[string]string{
		"AWS_SHARED_CREDENTIALS_FILE": files.String(),
		"AWS_CONFIG_FILE":             "[profile empty]\nregion = " + region + "\n",
	} {
		file := filepath.Join(dir, name)
		if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 2
		}
		os.Setenv(name, file)
	}
	os.Setenv("AWS_EC2_METADATA_DISABLED", "true")
	return m.Run()
}

// serveRegion serves a region, and returns it with the connection of a user who may do
// anything there.
func serveRegion(t testing.TB) (*awstest.Server, Connection) {
	t.Helper()
	s := awstest.New(region)
	return s, Connection{Region: region, Profile: "good", Endpoint: serve(s)}
}

// hosts are those that the tests' clients reach, without the network.
var hosts targettest.Hosts

// wired are clients that reach hosts, with the zero value's defaults.
func wired() *Clients { return &Clients{transport: &http.Client{Transport: &hosts}} }

// serve makes a host of it and returns the URL.
func serve(h http.Handler) string { return "http://" + hosts.Serve(h) }

// listen serves on the network, and returns the URL.
func listen(t testing.TB, h http.Handler) string {
	t.Helper()
	srv := httptest.NewServer(h)
	t.Cleanup(func() {
		srv.CloseClientConnections()
		srv.Close()
	})
	return srv.URL
}

// build returns a target that reads anew whenever it is asked after a moment,
// and that the test's end does not close.
func build(t testing.TB, cfg target.Config) target.Target {
	t.Helper()
	if err := cfg.Validate(); err != nil {
		t.Fatal(err)
	}
	switch cfg := cfg.(type) {
	case *ASGConfig:
		cfg.clients = cmp.Or(cfg.clients, wired())
	case *ECSConfig:
		cfg.clients = cmp.Or(cfg.clients, wired())
	}
	tgt, err := cfg.New(target.Options{})
	if err != nil {
		t.Fatal(err)
	}
	switch tgt := tgt.(type) {
	case *asgTarget:
		tgt.groups.Age, tgt.failureStands = 5*time.Millisecond, 0
	case *ecsTarget:
		tgt.services.Age, tgt.failureStands = 5*time.Millisecond, 0
	}
	return tgt
}

// web is a group of two that is ready soon.
func web() awstest.Group {
	return awstest.Group{Name: "web", Max: 10, Desired: 2, Boot: 10 * time.Millisecond, Stop: 10 * time.Millisecond}
}

// shop is a service of two that is ready soon.
func shop() awstest.Service {
	return awstest.Service{Cluster: "shop", Name: "web", Desired: 2, Start: 10 * time.Millisecond}
}

func asg(t testing.TB, conn Connection) *asgTarget {
	t.Helper()
	return build(t, &ASGConfig{Connection: conn, Name: "web"}).(*asgTarget)
}

func ecsService(t testing.TB, conn Connection) *ecsTarget {
	t.Helper()
	return build(t, &ECSConfig{Connection: conn, Cluster: "shop", Service: "web"}).(*ecsTarget)
}

// virtual runs a test in virtual time, beside others.
func virtual(t *testing.T, test func(*testing.T)) {
	t.Helper()
	t.Parallel()
	synctest.Test(t, test)
}

// wantKind fails the test where err is of another kind or does not say that.
func wantKind(t testing.TB, what string, err error, want target.Kind, says string) {
	t.Helper()
	if target.KindOf(err) != want || (err != nil && !strings.Contains(err.Error(), says)) {
		t.Errorf("%s: %v (kind %q), want kind %q and %q", what, err, target.KindOf(err), want, says)
	}
	if e, ok := errors.AsType[*target.Error](err); err != nil && (!ok || e.Op == "") {
		t.Errorf("%s: %#v does not say what was tried", what, err)
	}
}

func eventually(t testing.TB, what string, check func() error) {
	t.Helper()
	var err error
	for end := time.Now().Add(10 * time.Second); time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
		if err = check(); err == nil {
			return
		}
	}
	t.Fatalf("%s: not so after ten seconds: %v", what, err)
}
