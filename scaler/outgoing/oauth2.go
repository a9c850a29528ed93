package outgoing

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/prometheus/common/config"
	"golang.org/x/oauth2"
	"golang.org/x/oauth2/clientcredentials"

	"github.com/alertscaler/alertscaler/scaler/recovery"
)

// jwtBearer is the grant type of RFC 7523.
const jwtBearer = "urn:ietf:params:oauth:grant-type:jwt-bearer"

// tokenTimeout bounds a request for a token that nobody waits for any longer.
const tokenTimeout = 30 * time.Second

// authorized sends requests with a token of OAuth 2. The library's own does not
// let whoever waits for a token leave, and takes its secret to wherever the
// token server redirects.
type authorized struct {
	cfg    *config.OAuth2
	next   http.RoundTripper
	client *http.Client // of the token server

	// asking holds one token: whoever has it uses what follows.
	asking chan struct{}
	secret string // that token was asked for with
	token  *oauth2.Token
}

func newOAuth2(cfg *config.OAuth2, next http.RoundTripper, name string, opts ...config.HTTPClientOption) (*authorized, error) {
	if cfg.ClientSecretRef != "" || cfg.ClientCertificateKeyRef != "" {
		return nil, errors.New("oauth2: references to secrets are for Prometheus' own secret managers; give a file")
	}
	rt, err := config.NewRoundTripperFromConfig(config.HTTPClientConfig{TLSConfig: cfg.TLSConfig, ProxyConfig: cfg.ProxyConfig}, name+"_oauth2", opts...)
	if err != nil {
		return nil, err
	}
	return &authorized{cfg: cfg, next: next, client: &http.Client{Transport: Guard(rt), Timeout: tokenTimeout}, asking: make(chan struct{}, 1)}, nil
}

// RoundTrip implements http.RoundTripper.
func (a *authorized) RoundTrip(r *http.Request) (*http.Response, error) {
	token, err := a.get(r.Context())
	if err != nil {
		closeBody(r)
		return nil, err
	}
	r = r.Clone(r.Context())
	token.SetAuthHeader(r)
	return a.next.RoundTrip(r)
}

// get returns a token that is valid, or leaves with ctx. Those who need one at
// the same time ask for it one after the other, so that one asks and the others
// find it.
func (a *authorized) get(ctx context.Context) (*oauth2.Token, error) {
	select {
	case a.asking <- struct{}{}:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	type answer struct {
		token *oauth2.Token
		err   error
	}
	answers := make(chan answer, 1)
	go func() {
		defer func() { <-a.asking }()
		var token *oauth2.Token
		err := recovery.Do(recovery.Reading, func() (err error) {
			token, err = a.ask(ctx)
			return err
		})
		answers <- answer{token, err}
	}()
	select {
	case got := <-answers:
		return got.token, got.err
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// ask returns the token that is known, or asks for one. The library does not
// take ctx wherever it goes.
func (a *authorized) ask(ctx context.Context) (*oauth2.Token, error) {
	// A file may have been replaced.
	secret, err := a.readSecret()
	if err != nil {
		return nil, err
	}
	if a.token.Valid() && secret == a.secret {
		return a.token, nil
	}
	token, err := a.source(context.WithValue(ctx, oauth2.HTTPClient, a.client), secret).Token()
	if err != nil {
		return nil, fmt.Errorf("get a token of OAuth 2: %w", err)
	}
	a.token, a.secret = token, secret
	return token, nil
}

// readSecret returns the client's secret, or the key that its assertions are
// signed with.
func (a *authorized) readSecret() (string, error) {
	inline, file := a.cfg.ClientSecret, a.cfg.ClientSecretFile
	if a.cfg.GrantType == jwtBearer {
		inline, file = a.cfg.ClientCertificateKey, a.cfg.ClientCertificateKeyFile
	}
	if file == "" {
		return string(inline), nil
	}
	b, err := os.ReadFile(file)
	if err != nil {
		return "", fmt.Errorf("read the client secret of OAuth 2: %w", err)
	}
	return strings.TrimSpace(string(b)), nil
}

// source asks for one token, within ctx.
func (a *authorized) source(ctx context.Context, secret string) oauth2.TokenSource {
	params := url.Values{}
	for name, v := range a.cfg.EndpointParams {
		params.Set(name, v)
	}
	if a.cfg.GrantType != jwtBearer {
		c := &clientcredentials.Config{
			ClientID: a.cfg.ClientID, ClientSecret: secret, Scopes: a.cfg.Scopes, TokenURL: a.cfg.TokenURL, EndpointParams: params,
		}
		return c.TokenSource(ctx)
	}
	signing := jwt.SigningMethodRS256
	switch a.cfg.SignatureAlgorithm {
	case jwt.SigningMethodRS384.Name:
		signing = jwt.SigningMethodRS384
	case jwt.SigningMethodRS512.Name:
		signing = jwt.SigningMethodRS512
	}
	issuer := a.cfg.Iss
	if issuer == "" {
		issuer = a.cfg.ClientID
	}
	c := &config.JwtGrantTypeConfig{
		PrivateKey: []byte(secret), PrivateKeyID: a.cfg.ClientCertificateKeyID, Scopes: a.cfg.Scopes, TokenURL: a.cfg.TokenURL,
		SigningAlgorithm: signing, Iss: issuer, Subject: a.cfg.ClientID, Audience: a.cfg.Audience,
		PrivateClaims: a.cfg.Claims, EndpointParams: params,
	}
	return c.TokenSource(ctx)
}

// CloseIdleConnections is what http.Client looks for.
func (a *authorized) CloseIdleConnections() {
	a.client.CloseIdleConnections()
	closeIdle(a.next)
}
