package config_test

import (
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	commoncfg "github.com/prometheus/common/config"

	"github.com/alertscaler/alertscaler/scaler/config"
	"github.com/alertscaler/alertscaler/scaler/target/install"
)

// TestNothingSecretIsShown: whatever may be a secret is hidden where the
// configuration is shown, and what is shown is still a configuration.
func TestNothingSecretIsShown(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"worker", "scale.yml"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte("#!/bin/sh\n"), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	const text = `
prometheus:
  url: http://S3CRETuser:S3CRETpassword@prometheus:9090/prefix?token=S3CRETquery&S3CRETalone
  http_headers: { X-Token: { values: [S3CRETheader], secrets: [S3CRETsecret] } }
  oauth2: { client_id: a, client_secret: S3CRETclient, token_url: 'https://S3CREToauth@idp/?key=S3CRETurl', endpoint_params: { audience: S3CRETparam } }
  proxy_url: http://S3CRETproxy@proxy:3128
alertmanager:
  url: http://S3CRETonly@alertmanager:9093
  authorization: { credentials: S3CRETcredentials }
policies:
  - name: web
    max: 10
    targets:
      - name: local
        process:
          command: [./worker, '--api-token=S3CRETargument', --password, S3CRETnext, 'Authorization: Bearer S3CRETbearer', 'https://S3CRETargs@h/', '--port={port}', '--level=debug']
          env: { HOME: S3CRETenv }
        drain: { http: { url: 'http://hooks/services/S3CRETpath?x=S3CRETy', http_headers: { A: { values: [S3CRETdrain] } } } }
      - name: again
        process: { command: [./worker] }
        drain: { command: [./worker, --secret, S3CREThook] }
      - name: machines
        ansible:
          playbook: scale.yml
          current: { command: [./worker, --token=S3CRETcount] }
          env: { A: S3CRETansible }
          extra_vars: { a: S3CRETvar, b: [S3CRETlist], c: { d: S3CRETdeep, e: 73313373 } }
      - name: job
        awx: { url: https://awx.example.com, job_template: 7, current: { command: [echo] }, extra_vars: { a: S3CRETawx }, basic_auth: { username: u, password: S3CRETbasic } }
      - name: pool
        http:
          url: https://S3CRETpool:S3CRETpool2@pool/v1?sig=S3CRETsig
          current: { url: 'status?token=S3CRETrelative' }
          scale: { body: '{"token": "S3CRETbody", "n": {{.Desired}}}' }
      - name: swarm
        docker_service: { name: web, host: 'tcp://S3CRETdocker@docker:2376' }
      - name: jobs
        nomad: { job: a, group: b, token: S3CRETnomad }
discovery:
  - name: d
    docker_services: { host: 'tcp://S3CRETdiscovery@docker:2376' }
`
	file := filepath.Join(dir, "alertscaler.yml")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	c, err := config.LoadFile(file, install.Registry())
	if err != nil {
		t.Fatal(err)
	}
	shown := c.String()
	for l := range strings.Lines(shown) {
		if strings.Contains(l, "S3CRET") || strings.Contains(l, "73313373") {
			t.Errorf("a secret is shown: %s", l)
		}
	}
	for _, want := range []string{"prometheus:9090/prefix?token=<secret>&<secret>", "--api-token=<secret>", "--level=debug", "http://hooks/<secret>", "HOME: <secret>", "X-Token:", "status?token=<secret>", "basic_auth:"} {
		if !strings.Contains(shown, want) {
			t.Errorf("%q is not shown:\n%s", want, shown)
		}
	}
	again, err := config.Load(file, []byte(shown), install.Registry())
	if err != nil {
		t.Fatalf("what is shown does not load: %s\n%s", err, shown)
	}
	if diff := cmp.Diff(shown, again.String()); diff != "" {
		t.Errorf("shown twice (-first +second):\n%s", diff)
	}
	// What is shown is hidden, what is used is not.
	if got := c.Policies[0].Targets[0].Drain.HTTP.URL; !strings.Contains(got, "S3CRETpath") {
		t.Errorf("the hook's URL is %s", got)
	}
}

// TestWhatIsShownIsListed: every place of the configuration that holds text is
// either hidden by its type or listed as harmless. Who adds a field decides: is
// it never a secret, then it is added to the list, or may it be one, then its
// type must be config.Secret or one that package config hides.
func TestWhatIsShownIsListed(t *testing.T) {
	const file = "testdata/shown.txt"
	var got []string
	w := walk{seen: make(map[reflect.Type]bool), found: func(where string) { got = append(got, where) }}
	w.typ("", reflect.TypeFor[config.Config]())
	r := install.Registry()
	for _, name := range r.Names() {
		c, err := r.New(name)
		if err != nil {
			t.Fatal(err)
		}
		w.typ("targets."+name, reflect.TypeOf(c))
	}
	for _, name := range r.DiscoveryNames() {
		c, err := r.NewDiscovery(name)
		if err != nil {
			t.Fatal(err)
		}
		w.typ("discovery."+name, reflect.TypeOf(c))
	}
	slices.Sort(got)
	got = slices.Compact(got)
	text := strings.Join(got, "\n") + "\n"
	if os.Getenv("UPDATE_SHOWN") != "" {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(strings.Split(string(want), "\n"), strings.Split(text, "\n")); diff != "" {
		t.Errorf("fields that are shown (-listed +there); can what is new be a secret? If not, UPDATE_SHOWN=1 lists it:\n%s", diff)
	}
}

// walk finds the fields whose text is shown.
type walk struct {
	seen  map[reflect.Type]bool
	found func(where string)
}

func (w *walk) typ(where string, t reflect.Type) {
	switch t {
	case reflect.TypeFor[commoncfg.Secret](), reflect.TypeFor[commoncfg.ProxyHeader]():
		return // The library hides them.
	case reflect.TypeFor[url.URL]():
		w.found(where + " (a URL)")
		return
	case reflect.TypeFor[commoncfg.HTTPClientConfig](), reflect.TypeFor[commoncfg.TLSConfig]():
		if w.seen[t] {
			return
		}
		where = t.Name() // once for all who have one
	}
	switch t.Kind() {
	case reflect.Pointer:
		w.typ(where, t.Elem())
	case reflect.String:
		w.found(fmt.Sprintf("%s (%s)", where, t))
	case reflect.Slice:
		w.typ(where+"[]", t.Elem())
	case reflect.Map:
		// Of text and of anything else the values are hidden.
		if e := t.Elem().Kind(); e == reflect.Struct {
			w.typ(where+".*", t.Elem())
		}
	case reflect.Struct:
		if w.seen[t] && t.Name() != "" && strings.HasPrefix(t.PkgPath(), "github.com/prometheus/common") {
			return
		}
		w.seen[t] = true
		for f := range t.Fields() {
			name, options, _ := strings.Cut(f.Tag.Get("yaml"), ",")
			switch {
			case t == reflect.TypeFor[commoncfg.Header]() && name == "values":
				// which are hidden
			case strings.Contains(options, "inline"):
				w.typ(where, f.Type)
			case name == "-", !f.IsExported():
			case name == "":
				w.typ(where+"."+strings.ToLower(f.Name), f.Type)
			default:
				w.typ(strings.TrimPrefix(where+"."+name, "."), f.Type)
			}
		}
	}
}
