package gcp

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync/atomic"
	"time"

	"cloud.google.com/go/auth"
	"cloud.google.com/go/auth/credentials"
	"cloud.google.com/go/auth/credentials/impersonate"
	"cloud.google.com/go/compute/metadata"

	"github.com/alertscaler/alertscaler/scaler/target/share"
)

// scope is all that a token is asked for. What it may do is for IAM to say.
const scope = "https://www.googleapis.com/auth/cloud-platform"

// tokenTimeout bounds what it takes to get a token, where its callers have more
// patience than that.
const tokenTimeout = 30 * time.Second

// authorized sends every request with a token.
type authorized struct {
	next  http.RoundTripper
	token func(context.Context) (*auth.Token, error)
	// refused is told of a token with which nobody is let in.
	refused func(*auth.Token)
}

func (a authorized) RoundTrip(r *http.Request) (*http.Response, error) {
	token, err := a.token(r.Context())
	if err != nil {
		if r.Body != nil {
			_ = r.Body.Close()
		}
		return nil, err
	}
	r = r.Clone(r.Context())
	r.Header.Set("Authorization", "Bearer "+token.Value)
	resp, err := a.next.RoundTrip(r)
	if err == nil && resp.StatusCode == http.StatusUnauthorized {
		a.refused(token)
	}
	return resp, err
}

// tokens are the access tokens of one set of credentials. All methods are safe
// for concurrent use.
type tokens struct {
	account Account
	next    http.RoundTripper
	asking  share.Readings[struct{}, *auth.Token]
	found   atomic.Pointer[found] // nil: the credentials are to be looked for
}

// found are credentials, and the last token that they gave.
type found struct {
	credentials auth.TokenProvider
	token       *auth.Token
}

func newTokens(a Account, next http.RoundTripper) *tokens {
	t := &tokens{account: a, next: next}
	t.asking.Fetch = share.Only(t.ask)
	return t
}

// get returns a token that is valid for some minutes. Whoever needs a new one
// at the same time waits for the same answer, and no longer than ctx says.
func (t *tokens) get(ctx context.Context) (*auth.Token, error) {
	if f := t.found.Load(); f != nil && f.token.IsValid() {
		return f.token, nil
	}
	return t.asking.Get(ctx, struct{}{}, time.Time{})
}

// drop forgets a token that was refused, and with it the credentials, which may
// keep it too.
func (t *tokens) drop(refused *auth.Token) {
	if f := t.found.Load(); f != nil && f.token.Value == refused.Value {
		t.found.CompareAndSwap(f, nil)
	}
}

// ask gets a token. After a failure the credentials are looked for anew the
// next time: the file may have been replaced.
func (t *tokens) ask(ctx context.Context, _ struct{}) (*auth.Token, error) {
	ctx, cancel := context.WithTimeout(ctx, tokenTimeout)
	defer cancel()
	f := share.Value(t.found.Load())
	if f.credentials == nil {
		var err error
		if f.credentials, err = t.find(); err != nil {
			return nil, &tokenError{err: err, unusable: true}
		}
	}
	ctx = share.Note(ctx) // not all of the library's errors carry the status
	token, err := f.credentials.Token(ctx)
	if err != nil {
		t.found.Store(nil)
		return nil, &tokenError{err: err, status: statusOf(err, share.Noted(ctx).Status)}
	}
	t.found.Store(&found{f.credentials, token})
	return token, nil
}

// find finds the credentials, see Account.CredentialsFile. Without a file, and
// without what gcloud leaves behind, it asks whether there is a metadata server.
func (t *tokens) find() (auth.TokenProvider, error) {
	next := share.Noting(t.next)
	creds, err := credentials.DetectDefault(&credentials.DetectOptions{
		Scopes:          []string{scope},
		CredentialsFile: t.account.CredentialsFile, //nolint:staticcheck // The file is the operator's own, as the rest of the configuration is, and may be of any type.
		Client:          &http.Client{Transport: next},
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
		Client: &http.Client{Transport: authorized{
			next:    next,
			token:   creds.Token,
			refused: func(*auth.Token) {}, // the error has them looked for anew
		}},
	})
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
