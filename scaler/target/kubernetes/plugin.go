package kubernetes

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/singleflight"
	kruntime "k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	"k8s.io/client-go/pkg/apis/clientauthentication"
	"k8s.io/client-go/pkg/apis/clientauthentication/install"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd/api"

	"github.com/alertscaler/alertscaler/scaler/program"
	"github.com/alertscaler/alertscaler/scaler/recovery"
)

const (
	// pluginTimeout is how long a plugin may take. Calls do not wait that long,
	// and those that come after it has answered have what it said.
	pluginTimeout = 30 * time.Second
	// pluginOutput bounds what is kept of what a plugin writes.
	pluginOutput = 1 << 20
)

// plugin asks a program for credentials, as a kubeconfig's exec says. It is used
// instead of client-go's own, which knows no deadline: a program that hangs
// holds that up, and all other clients that would ask the same one.
type plugin struct {
	cfg  *api.ExecConfig
	gv   schema.GroupVersion
	info string
	// renewed is called when there is another certificate than before.
	renewed func()

	alive context.Context // until the client ends
	end   context.CancelFunc

	mu     sync.Mutex // guards what follows
	latest *credentials
	cert   *tls.Certificate // of what was latest, also once that was refused
	began  time.Time        // when the program that runs was started; zero: none runs
	runs   singleflight.Group
}

// credentials are what a plugin gave.
type credentials struct {
	token   string
	cert    *tls.Certificate
	expires time.Time // zero: never
	at      time.Time
}

var (
	authScheme = kruntime.NewScheme()
	authCodecs = serializer.NewCodecFactory(authScheme)
	authGroups = sync.OnceFunc(func() { install.Install(authScheme) })
)

// newPlugin runs nothing yet.
func newPlugin(cfg *rest.Config, renewed func()) (*plugin, error) {
	authGroups()
	gv, err := schema.ParseGroupVersion(cfg.ExecProvider.APIVersion)
	if err != nil || gv.Group != clientauthentication.GroupName || !authScheme.IsVersionRegistered(gv) {
		return nil, fmt.Errorf("exec plugin %s: apiVersion %q is not one that is known, such as %s/v1",
			cfg.ExecProvider.Command, cfg.ExecProvider.APIVersion, clientauthentication.GroupName)
	}
	if cfg.ExecProvider.InteractiveMode == api.AlwaysExecInteractiveMode {
		return nil, fmt.Errorf("exec plugin %s: its interactiveMode is Always, and a server has no terminal", cfg.ExecProvider.Command)
	}
	ask := new(clientauthentication.ExecCredential)
	if cfg.ExecProvider.ProvideClusterInfo {
		if ask.Spec.Cluster, err = rest.ConfigToExecCluster(cfg); err != nil {
			return nil, err
		}
	}
	info, err := kruntime.Encode(authCodecs.LegacyCodec(gv), ask)
	if err != nil {
		return nil, fmt.Errorf("exec plugin %s: what it is to be told: %w", cfg.ExecProvider.Command, err)
	}
	p := &plugin{cfg: cfg.ExecProvider, gv: gv, info: string(info), renewed: renewed}
	p.alive, p.end = context.WithCancel(context.Background())
	return p, nil
}

// get returns the latest credentials, or asks for some where there are none
// that may still be used. However many ask, the program runs once.
func (p *plugin) get(ctx context.Context) (*credentials, error) {
	p.mu.Lock()
	if c := p.latest; c != nil && (c.expires.IsZero() || time.Now().Before(c.expires)) {
		p.mu.Unlock()
		return c, nil
	}
	if p.began.IsZero() {
		p.began = time.Now()
	}
	answer, began := p.runs.DoChan("", p.ask), p.began
	p.mu.Unlock()
	select {
	case a := <-answer:
		c, _ := a.Val.(*credentials)
		return c, a.Err
	case <-ctx.Done():
		return nil, fmt.Errorf("exec plugin %s of the kubeconfig has not answered since it was started %s ago: %w",
			p.cfg.Command, time.Since(began).Round(time.Millisecond), ctx.Err())
	}
}

// refuse has the next get ask anew, unless someone has already.
func (p *plugin) refuse(c *credentials) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.latest == c {
		p.latest = nil
	}
}

// certificate is that of the latest credentials, for a handshake.
func (p *plugin) certificate() (*tls.Certificate, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.cert, nil
}

func (p *plugin) ask() (any, error) {
	var c *credentials
	err := recovery.Do(recovery.Reading, func() (err error) {
		c, err = p.run()
		return err
	})
	renewed := false
	p.mu.Lock()
	if err == nil {
		renewed = p.cert != nil && (c.cert == nil || !p.cert.Leaf.Equal(c.cert.Leaf))
		p.latest, p.cert = c, c.cert
	}
	p.began = time.Time{}
	p.runs.Forget("")
	p.mu.Unlock()
	if renewed {
		p.renewed()
	}
	return c, err
}

// run runs the program, and ends it and all that it has started where it takes
// too long or the client ends.
func (p *plugin) run() (*credentials, error) {
	ctx, cancel := context.WithTimeout(p.alive, pluginTimeout)
	defer cancel()
	cmd := exec.Command(p.cfg.Command, p.cfg.Args...)
	cmd.Env = os.Environ()
	for _, e := range p.cfg.Env {
		cmd.Env = append(cmd.Env, e.Name+"="+e.Value)
	}
	cmd.Env = append(cmd.Env, "KUBERNETES_EXEC_INFO="+p.info)
	answer, err := program.Ask(ctx, cmd, pluginOutput)
	switch {
	case p.alive.Err() != nil:
		return nil, fmt.Errorf("exec plugin %s of the kubeconfig was ended, as nobody needs it any more", p.cfg.Command)
	case ctx.Err() != nil:
		return nil, fmt.Errorf("exec plugin %s of the kubeconfig was ended, as it had not answered after %s%s", p.cfg.Command, pluginTimeout, lastLine(answer.Complaint()))
	case err != nil:
		hint := ""
		if errors.Is(err, exec.ErrNotFound) && p.cfg.InstallHint != "" {
			hint = ": " + strings.TrimSpace(p.cfg.InstallHint)
		}
		return nil, fmt.Errorf("exec plugin %s of the kubeconfig: %w%s%s", p.cfg.Command, err, lastLine(answer.Complaint()), hint)
	}
	c, err := p.decode(answer.Stdout)
	if err != nil {
		return nil, fmt.Errorf("exec plugin %s of the kubeconfig answered what is no ExecCredential of %s: %w", p.cfg.Command, p.gv, err)
	}
	return c, nil
}

func (p *plugin) decode(answer []byte) (*credentials, error) {
	got := new(clientauthentication.ExecCredential)
	_, gvk, err := authCodecs.UniversalDecoder(p.gv).Decode(answer, nil, got)
	switch {
	case err != nil:
		return nil, err
	case gvk.GroupVersion() != p.gv:
		return nil, fmt.Errorf("it is of %s", gvk.GroupVersion())
	case got.Status == nil:
		return nil, errors.New("it has no status")
	}
	s := got.Status
	c := &credentials{token: s.Token, at: time.Now()}
	if s.ExpirationTimestamp != nil {
		c.expires = s.ExpirationTimestamp.Time
	}
	if s.ClientCertificateData != "" || s.ClientKeyData != "" {
		cert, err := tls.X509KeyPair([]byte(s.ClientCertificateData), []byte(s.ClientKeyData))
		if err != nil {
			return nil, fmt.Errorf("its certificate and key: %w", err)
		}
		if cert.Leaf, err = x509.ParseCertificate(cert.Certificate[0]); err != nil {
			return nil, fmt.Errorf("its certificate: %w", err)
		}
		c.cert = &cert
	}
	if c.token == "" && c.cert == nil {
		return nil, errors.New("it has neither a token nor a certificate")
	}
	return c, nil
}

// lastLine is that of what a program complained of, for an error.
func lastLine(complaint string) string {
	last := strings.TrimSpace(complaint[strings.LastIndexByte(complaint, '\n')+1:])
	if last == "" {
		return ""
	}
	return fmt.Sprintf(": %.300s", last)
}

// authorizing adds a plugin's credentials to requests.
type authorizing struct {
	plugin *plugin
	next   http.RoundTripper
}

// WrappedRoundTripper is for client-go, which looks for the innermost one.
func (a *authorizing) WrappedRoundTripper() http.RoundTripper { return a.next }

// RoundTrip implements http.RoundTripper. A request that is refused with
// credentials of earlier is made once more with new ones.
func (a *authorizing) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Header.Get("Authorization") != "" {
		return a.next.RoundTrip(r)
	}
	began := time.Now()
	creds, err := a.plugin.get(r.Context())
	if err != nil {
		return nil, err
	}
	resp, err := a.next.RoundTrip(creds.put(r))
	if err != nil || resp.StatusCode != http.StatusUnauthorized {
		return resp, err
	}
	a.plugin.refuse(creds)
	if creds.at.After(began) || (r.Body != nil && r.GetBody == nil) {
		return resp, nil
	}
	_ = resp.Body.Close()
	renewed, err := a.plugin.get(r.Context())
	if err != nil {
		return nil, err // that is why it was refused
	}
	again := renewed.put(r)
	if r.GetBody != nil {
		if again.Body, err = r.GetBody(); err != nil {
			return nil, err
		}
	}
	return a.next.RoundTrip(again)
}

// put returns a copy of the request with the token, if there is one; a certificate is the
// connection's.
func (c *credentials) put(r *http.Request) *http.Request {
	r = r.Clone(r.Context())
	if c.token != "" {
		r.Header.Set("Authorization", "Bearer "+c.token)
	}
	return r
}
