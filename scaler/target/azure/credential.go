package azure

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"strings"
	"sync"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"

	"github.com/alertscaler/alertscaler/scaler/target/share"
)

// credential is the identity that an Access means. Nothing is dialed.
func (a Access) credential(o policy.ClientOptions) (azcore.TokenCredential, error) {
	private := privateAuthority(o.Cloud.ActiveDirectoryAuthorityHost)
	appRegistration := func(secret string) (azcore.TokenCredential, error) {
		return azidentity.NewClientSecretCredential(a.TenantID, a.ClientID, secret, &azidentity.ClientSecretCredentialOptions{
			ClientOptions: o, DisableInstanceDiscovery: private,
		})
	}
	switch {
	case a.ClientSecret != "":
		return appRegistration(string(a.ClientSecret))
	case a.ClientSecretFile != "":
		return &secretFile{name: a.ClientSecretFile, of: appRegistration}, nil
	case a.ClientID != "":
		var chain []azcore.TokenCredential
		// It fails where nothing of a workload identity is in the environment.
		if workload, err := azidentity.NewWorkloadIdentityCredential(&azidentity.WorkloadIdentityCredentialOptions{
			ClientOptions: o, ClientID: a.ClientID, TenantID: a.TenantID, DisableInstanceDiscovery: private,
		}); err == nil {
			chain = append(chain, workload)
		}
		managed, err := azidentity.NewManagedIdentityCredential(&azidentity.ManagedIdentityCredentialOptions{
			ClientOptions: o, ID: azidentity.ClientID(a.ClientID),
		})
		if err != nil {
			return nil, err
		}
		return azidentity.NewChainedTokenCredential(append(chain, managed), nil)
	default:
		return azidentity.NewDefaultAzureCredential(&azidentity.DefaultAzureCredentialOptions{
			ClientOptions: o, TenantID: a.TenantID, DisableInstanceDiscovery: private,
		})
	}
}

// secretFile is an app registration whose secret is in a file, which may be
// replaced.
type secretFile struct {
	name string
	of   func(secret string) (azcore.TokenCredential, error)

	mu      sync.Mutex // guards what is below
	secret  string
	current azcore.TokenCredential
}

// GetToken implements azcore.TokenCredential.
func (f *secretFile) GetToken(ctx context.Context, o policy.TokenRequestOptions) (azcore.AccessToken, error) {
	c, err := f.credential()
	if err != nil {
		return azcore.AccessToken{}, fmt.Errorf("client_secret_file: %w", err)
	}
	return c.GetToken(ctx, o)
}

func (f *secretFile) credential() (azcore.TokenCredential, error) {
	b, err := os.ReadFile(f.name)
	if err != nil {
		return nil, err
	}
	secret := strings.TrimSpace(string(b))
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.current == nil || f.secret != secret {
		c, err := f.of(secret)
		if err != nil {
			return nil, err
		}
		f.current, f.secret = c, secret
	}
	return f.current, nil
}

// tokens marks the errors of a credential, so that they can be told from those
// of the request that wanted the token.
type tokens struct{ azcore.TokenCredential }

// tokenError is why there is no token.
type tokenError struct {
	err error
	// network is the network's own error where that was the last thing to fail,
	// or nil. Credentials put it into a text and drop it, and then it cannot be
	// told from a wrong password.
	network error
}

func (e *tokenError) Error() string { return e.err.Error() }
func (e *tokenError) Unwrap() error { return e.err }

// GetToken implements azcore.TokenCredential.
func (t tokens) GetToken(ctx context.Context, o policy.TokenRequestOptions) (azcore.AccessToken, error) {
	ctx = share.Note(ctx)
	token, err := t.TokenCredential.GetToken(ctx, o)
	if err != nil {
		return token, &tokenError{err, share.NotedError(ctx)}
	}
	return token, nil
}

// transport is a policy.Transporter that notes the network's errors, and sends
// tokens to Azure Resource Manager alone: an answer says where the operation
// that it began can be followed, and the SDK goes there with the token.
type transport struct {
	next         policy.Transporter
	tokensOnlyTo string // scheme://host
}

// Do implements policy.Transporter.
func (t transport) Do(req *http.Request) (*http.Response, error) {
	if to := req.URL.Scheme + "://" + req.URL.Host; req.Header.Get("Authorization") != "" && !strings.EqualFold(to, t.tokensOnlyTo) {
		return nil, fmt.Errorf("an answer of %s leads to %s, which is another server, and no token is sent there", t.tokensOnlyTo, to)
	}
	res, err := t.next.Do(req)
	share.NoteError(req.Context(), err)
	return res, err
}
