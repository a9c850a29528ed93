package azure

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-kit/log"

	"github.com/alertscaler/alertscaler/scaler/realtest"
	"github.com/alertscaler/alertscaler/scaler/target"
	"github.com/alertscaler/alertscaler/scaler/target/azure/azuretest"
	"github.com/alertscaler/alertscaler/scaler/target/targettest"
)

// converge is how long a set may take for what the tests ask of it.
const converge = 15 * time.Second

// fixture is a cloud and the targets' shared part.
type fixture struct {
	*azuretest.Server
	clients *Clients
}

// start starts a cloud; change sets it up before its first request.
func start(t testing.TB, change func(*azuretest.Server), sets ...azuretest.Set) *fixture {
	t.Helper()
	var s *azuretest.Server
	host := hosts.Serve(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { s.ServeHTTP(w, r) }))
	s = azuretest.At("https://" + host)
	if change != nil {
		change(s)
	}
	for _, x := range sets {
		s.Put(x)
	}
	return &fixture{Server: s, clients: wired()}
}

// hosts are those that the tests' clients reach, without the network.
var hosts targettest.Hosts

// wired are clients that reach hosts, with the zero value's patience.
func wired() *Clients { return &Clients{transport: &http.Client{Transport: &hosts}} }

// virtual runs a test in virtual time, beside others.
func virtual(t *testing.T, test func(*testing.T)) {
	t.Helper()
	t.Parallel()
	synctest.Test(t, test)
}

// web is a scale set shop/web of one instance, quick at everything.
func web() azuretest.Set {
	return azuretest.Set{Group: "shop", Name: "web", Capacity: 1, Boot: 20 * time.Millisecond, Stop: 20 * time.Millisecond}
}

func access(url string) Access {
	return Access{
		SubscriptionID: azuretest.Subscription, TenantID: azuretest.Tenant,
		ClientID: azuretest.Client, ClientSecret: azuretest.Secret, Endpoint: url, Authority: url,
	}
}

// config is that of a set of group shop.
func (f *fixture) config(name string) *Config {
	return &Config{Access: access(f.URL()), ResourceGroup: "shop", Name: name, clients: f.clients}
}

// build builds a target that the caller closes.
func build(t testing.TB, cfg *Config) *scaleSet {
	t.Helper()
	if err := cfg.Validate(); err != nil {
		t.Fatal(err)
	}
	tgt, err := cfg.New(target.Options{Policy: "web", Name: "azure", Logger: log.NewNopLogger()})
	if err != nil {
		t.Fatal(err)
	}
	return tgt.(*scaleSet)
}

// open builds a target that the test's end closes.
func open(t testing.TB, cfg *Config) *scaleSet {
	t.Helper()
	s := build(t, cfg)
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

func current(t testing.TB, s *scaleSet) target.State {
	t.Helper()
	st, err := s.Current(t.Context())
	if err != nil {
		t.Fatalf("Current: %v (kind %s)", err, target.KindOf(err))
	}
	return st
}

// settle waits until so many are requested and ready.
func settle(t testing.TB, s *scaleSet, requested, ready int) {
	t.Helper()
	realtest.Eventually(t, converge, 20*time.Millisecond, fmt.Sprintf("%d of %d are ready", ready, requested), func() error {
		if st := current(t, s); st.Requested != requested || st.Ready != ready {
			return fmt.Errorf("it is %+v", st)
		}
		return nil
	})
}

func scale(t testing.TB, s *scaleSet, n int) {
	t.Helper()
	if err := s.Scale(t.Context(), n); err != nil {
		t.Fatalf("Scale(%d): %v (kind %s)", n, err, target.KindOf(err))
	}
}

// wantKind checks an error's kind, and that it says something.
func wantKind(t testing.TB, what string, err error, want target.Kind, says string) {
	t.Helper()
	if target.KindOf(err) != want || (err != nil && !strings.Contains(err.Error(), says)) {
		t.Errorf("%s: %v (kind %q), want kind %q and %q", what, err, target.KindOf(err), want, says)
	}
}

// instanceLists counts the lists of instances among requests.
func instanceLists(requests []string) int {
	n := 0
	for _, r := range requests {
		if strings.HasSuffix(r, "/virtualMachines") {
			n++
		}
	}
	return n
}

// count counts requests by a part of "METHOD path".
func count(requests []string, part string) int {
	n := 0
	for _, r := range requests {
		if strings.Contains(strings.ToLower(r), strings.ToLower(part)) {
			n++
		}
	}
	return n
}

// hanging is a target whose cloud takes requests and never answers.
func hanging(t testing.TB) *scaleSet {
	t.Helper()
	url := "https://" + hosts.Serve(http.HandlerFunc(targettest.Hangs))
	return build(t, &Config{Access: access(url), ResourceGroup: "shop", Name: "web", clients: wired()})
}
