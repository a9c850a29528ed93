package azure

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"sync"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"

	"github.com/alertscaler/alertscaler/scaler/recovery"
)

// notedError is the last error of the network in one call. Credentials put it
// into a text and drop it, and then it cannot be told from a wrong password.
type notedError struct {
	mu  sync.Mutex
	err error
}

type notedKey struct{}

// noteErrors returns a context whose requests note what came to nothing.
func noteErrors(ctx context.Context) context.Context {
	return context.WithValue(ctx, notedKey{}, new(notedError))
}

// noted is the network's last error under ctx, nil for none.
func noted(ctx context.Context) error {
	n, ok := ctx.Value(notedKey{}).(*notedError)
	if !ok {
		return nil
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.err
}

// transport is a policy.Transporter that notes the network's errors, and sends
// tokens to Azure Resource Manager alone: an answer says where the operation
// that it began can be followed, and the SDK goes there with the token.
type transport struct {
	next         policy.Transporter
	tokensOnlyTo string // scheme://host; empty: anywhere
}

// Do implements policy.Transporter.
func (t transport) Do(req *http.Request) (*http.Response, error) {
	if to := req.URL.Scheme + "://" + req.URL.Host; t.tokensOnlyTo != "" && req.Header.Get("Authorization") != "" && !strings.EqualFold(to, t.tokensOnlyTo) {
		return nil, fmt.Errorf("an answer of %s leads to %s, which is another server, and no token is sent there", t.tokensOnlyTo, to)
	}
	res, err := t.next.Do(req)
	if n, ok := req.Context().Value(notedKey{}).(*notedError); ok {
		n.mu.Lock()
		n.err = err
		n.mu.Unlock()
	}
	return res, err
}

// within runs f and returns once it does or ctx is done. The SDK lets callers
// wait for a token that another one of them fetches, for as long as that takes.
func within[T any](ctx context.Context, f func(context.Context) (T, error)) (T, error) {
	type result struct {
		value T
		err   error
	}
	done := make(chan result, 1)
	go func() {
		var v T
		err := recovery.Do(recovery.Reading, func() (err error) {
			v, err = f(ctx)
			return err
		})
		done <- result{v, err}
	}()
	select {
	case r := <-done:
		return r.value, r.err
	case <-ctx.Done():
		var none T
		return none, ctx.Err()
	}
}
