package azure

import (
	"context"
	"fmt"
	"os"
	"strings"
	"sync"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"
)

// clientOptions are those of every client: it tries once, since the engine does
// the retrying.
func (a Access) clientOptions(transport policy.Transporter) policy.ClientOptions {
	return policy.ClientOptions{
		Cloud:     a.cloud(),
		Transport: transport,
		Retry:     policy.RetryOptions{MaxRetries: -1},
		Telemetry: policy.TelemetryOptions{ApplicationID: "alertscaler"},
	}
}

// credential is the identity that an Access means. Nothing is dialed.
func (a Access) credential(o policy.ClientOptions) (azcore.TokenCredential, error) {
	c, err := a.identity(o)
	if err != nil {
		return nil, err
	}
	return tokens{c}, nil
}

func (a Access) identity(o policy.ClientOptions) (azcore.TokenCredential, error) {
	private := privateAuthority(o.Cloud.ActiveDirectoryAuthorityHost)
	switch {
	case a.ClientSecret != "":
		return a.appRegistration(o, private, string(a.ClientSecret))
	case a.ClientSecretFile != "":
		return &secretFile{access: a, options: o, private: private}, nil
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

func (a Access) appRegistration(o policy.ClientOptions, private bool, secret string) (*azidentity.ClientSecretCredential, error) {
	return azidentity.NewClientSecretCredential(a.TenantID, a.ClientID, secret, &azidentity.ClientSecretCredentialOptions{
		ClientOptions: o, DisableInstanceDiscovery: private,
	})
}

// secretFile is an app registration whose secret is in a file, which may be
// replaced.
type secretFile struct {
	access  Access
	options policy.ClientOptions
	private bool

	mu      sync.Mutex // guards what is below
	secret  string
	current *azidentity.ClientSecretCredential
}

// GetToken implements azcore.TokenCredential.
func (f *secretFile) GetToken(ctx context.Context, o policy.TokenRequestOptions) (azcore.AccessToken, error) {
	c, err := f.credential()
	if err != nil {
		return azcore.AccessToken{}, err
	}
	return c.GetToken(ctx, o)
}

func (f *secretFile) credential() (*azidentity.ClientSecretCredential, error) {
	b, err := os.ReadFile(f.access.ClientSecretFile)
	if err != nil {
		return nil, fmt.Errorf("client_secret_file: %w", err)
	}
	secret := strings.TrimSpace(string(b))
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.current == nil || f.secret != secret {
		c, err := f.access.appRegistration(f.options, f.private, secret)
		if err != nil {
			return nil, fmt.Errorf("client_secret_file: %w", err)
		}
		f.current, f.secret = c, secret
	}
	return f.current, nil
}

// tokens marks the errors of a credential, so that they can be told from those
// of the request that wanted the token.
type tokens struct{ azcore.TokenCredential }

type tokenError struct{ err error }

func (e *tokenError) Error() string { return e.err.Error() }
func (e *tokenError) Unwrap() error { return e.err }

// GetToken implements azcore.TokenCredential.
func (t tokens) GetToken(ctx context.Context, o policy.TokenRequestOptions) (azcore.AccessToken, error) {
	token, err := t.TokenCredential.GetToken(ctx, o)
	if err != nil {
		return token, &tokenError{err}
	}
	return token, nil
}
