package gcp

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"cloud.google.com/go/auth"
	"cloud.google.com/go/auth/credentials"
	"cloud.google.com/go/auth/credentials/impersonate"
	"cloud.google.com/go/compute/metadata"
)

// scope is all that a token is asked for. What it may do is for IAM to say.
const scope = "https://www.googleapis.com/auth/cloud-platform"

// tokenTimeout bounds what it takes to get a token, where its callers have more
// patience than that.
const tokenTimeout = 30 * time.Second

// authorized sends every request with a token.
type authorized struct {
	next   http.RoundTripper
	tokens *tokens
}

func (a authorized) RoundTrip(r *http.Request) (*http.Response, error) {
	token, err := a.tokens.get(r.Context())
	if err != nil {
		if r.Body != nil {
			_ = r.Body.Close()
		}
		return nil, err
	}
	r = r.Clone(r.Context())
	r.Header.Set("Authorization", "Bearer "+token)
	resp, err := a.next.RoundTrip(r)
	if err == nil && resp.StatusCode == http.StatusUnauthorized {
		a.tokens.drop(token)
	}
	return resp, err
}

// tokens are the access tokens of one set of credentials. All methods are safe
// for concurrent use.
type tokens struct {
	account Account
	next    http.RoundTripper
	asking  flights[struct{}, *auth.Token]

	mu       sync.Mutex // guards what follows
	provider auth.TokenProvider
	token    *auth.Token
}

func newTokens(a Account, next http.RoundTripper) *tokens { return &tokens{account: a, next: next} }

// get returns a token that is valid for some minutes. Whoever needs a new one
// at the same time waits for the same answer, and no longer than ctx says.
func (t *tokens) get(ctx context.Context) (string, error) {
	t.mu.Lock()
	token := t.token
	t.mu.Unlock()
	if token.IsValid() {
		return token.Value, nil
	}
	token, err := t.asking.get(ctx, struct{}{}, t.ask)
	if err != nil {
		return "", err
	}
	return token.Value, nil
}

// drop forgets a token that was refused, and with it the credentials, which may
// keep it too.
func (t *tokens) drop(value string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.token != nil && t.token.Value == value {
		t.token, t.provider = nil, nil
	}
}

// ask gets a token. After a failure the credentials are looked for anew the
// next time: the file may have been replaced.
func (t *tokens) ask(ctx context.Context) (*auth.Token, error) {
	ctx, cancel := context.WithTimeout(ctx, tokenTimeout)
	defer cancel()
	t.mu.Lock()
	provider := t.provider
	t.mu.Unlock()
	if provider == nil {
		var err error
		if provider, err = t.find(); err != nil {
			return nil, &tokenError{err: err, unusable: true}
		}
	}
	status := new(atomic.Int64)
	token, err := provider.Token(context.WithValue(ctx, statusKey{}, status))
	t.mu.Lock()
	defer t.mu.Unlock()
	if err != nil {
		t.provider = nil
		return nil, &tokenError{err: err, status: statusOf(err, int(status.Load()))}
	}
	t.provider, t.token = provider, token
	return token, nil
}

// find finds the credentials, see Account.CredentialsFile. Without a file, and
// without what gcloud leaves behind, it asks whether there is a metadata server.
func (t *tokens) find() (auth.TokenProvider, error) {
	asker := &http.Client{Transport: notesStatus{t.next}}
	creds, err := credentials.DetectDefault(&credentials.DetectOptions{
		Scopes:          []string{scope},
		CredentialsFile: t.account.CredentialsFile, //nolint:staticcheck // The file is the operator's own, as the rest of the configuration is, and may be of any type.
		Client:          asker,
		// A refresh behind the scenes would have no context to end it.
		DisableAsyncRefresh: true,
	})
	if err != nil {
		return nil, err
	}
	if t.account.ImpersonateServiceAccount == "" {
		return creds, nil
	}
	return impersonate.NewCredentials(&impersonate.CredentialsOptions{
		TargetPrincipal: t.account.ImpersonateServiceAccount,
		Scopes:          []string{scope},
		Credentials:     creds,
		Client:          &http.Client{Transport: bearer{next: notesStatus{t.next}, provider: creds}},
	})
}

// bearer sends requests with a token of its own: those for the token of
// somebody else.
type bearer struct {
	next     http.RoundTripper
	provider auth.TokenProvider
}

func (b bearer) RoundTrip(r *http.Request) (*http.Response, error) {
	token, err := b.provider.Token(r.Context())
	if err != nil {
		if r.Body != nil {
			_ = r.Body.Close()
		}
		return nil, err
	}
	r = r.Clone(r.Context())
	r.Header.Set("Authorization", "Bearer "+token.Value)
	return b.next.RoundTrip(r)
}

type statusKey struct{}

// notesStatus leaves the status of the last answer in the context. Not all of
// the library's errors carry it.
type notesStatus struct{ next http.RoundTripper }

func (n notesStatus) RoundTrip(r *http.Request) (*http.Response, error) {
	noted, _ := r.Context().Value(statusKey{}).(*atomic.Int64)
	if noted != nil {
		noted.Store(0)
	}
	resp, err := n.next.RoundTrip(r)
	if err == nil && noted != nil {
		noted.Store(int64(resp.StatusCode))
	}
	return resp, err
}

// statusOf is the HTTP status that a token was refused with; 0: nobody
// answered.
func statusOf(err error, noted int) int {
	if e, ok := errors.AsType[*auth.Error](err); ok && e.Response != nil {
		return e.Response.StatusCode
	}
	if e, ok := errors.AsType[*metadata.Error](err); ok {
		return e.Code
	}
	if _, ok := errors.AsType[metadata.NotDefinedError](err); ok {
		return http.StatusNotFound // no service account is attached
	}
	return noted
}

// tokenError is why there is no token.
type tokenError struct {
	err      error
	status   int  // of the answer, 0 where there was none
	unusable bool // the credentials could not even be read
}

func (e *tokenError) Error() string { return fmt.Sprintf("get an access token: %s", e.err) }
func (e *tokenError) Unwrap() error { return e.err }
