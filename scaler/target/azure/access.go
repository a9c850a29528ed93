package azure

import (
	"cmp"
	"net/url"
	"os"
	"regexp"
	"slices"
	"strings"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/cloud"
	"github.com/prometheus/common/config"

	"github.com/alertscaler/alertscaler/scaler/target"
)

// publicEndpoint is Azure Resource Manager's own, of the public cloud.
const publicEndpoint = "https://management.azure.com"

var guid = regexp.MustCompile(`^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$`)

// Access says which subscription, in which cloud, and as whom. Two targets of
// equal Access share an account.
type Access struct {
	// SubscriptionID is a GUID. Empty: AZURE_SUBSCRIPTION_ID.
	SubscriptionID string `yaml:"subscription_id,omitempty"`
	// TenantID and ClientID name an identity. Without ClientID it is whatever
	// azidentity's default chain finds: the environment, a workload identity,
	// a managed identity, the CLI. With ClientID alone it is the workload
	// identity or the user-assigned managed identity of that ID.
	TenantID string `yaml:"tenant_id,omitempty"`
	ClientID string `yaml:"client_id,omitempty"`
	// ClientSecret is that of an app registration; ClientSecretFile has it in
	// a file, which is read again for every token.
	ClientSecret     config.Secret `yaml:"client_secret,omitempty"`
	ClientSecretFile string        `yaml:"client_secret_file,omitempty"`
	// Endpoint is that of Azure Resource Manager; empty: the public cloud's.
	// Those of the sovereign clouds are known, and bring their Authority.
	Endpoint string `yaml:"endpoint,omitempty"`
	// Authority is where tokens come from, Audience whom they are for. Empty:
	// those of the endpoint's cloud, and of an unknown one the public
	// authority and the endpoint itself.
	Authority string `yaml:"authority,omitempty"`
	Audience  string `yaml:"audience,omitempty"`
}

// SetDirectory makes relative file names relative to dir.
func (a *Access) SetDirectory(dir string) {
	a.ClientSecretFile = target.JoinPath(dir, a.ClientSecretFile)
}

// subscription is the one to use after the defaults; empty where none is known.
func (a Access) subscription() string {
	return cmp.Or(a.SubscriptionID, os.Getenv("AZURE_SUBSCRIPTION_ID"))
}

func (a Access) endpoint() string {
	return strings.TrimSuffix(cmp.Or(a.Endpoint, publicEndpoint), "/")
}

// validate reports what is wrong, as a *target.FieldError. A subscription may
// be missing.
func (a Access) validate() error {
	s := a.subscription()
	hasSecret := a.ClientSecret != "" || a.ClientSecretFile != ""
	return cmp.Or(
		target.Check(s == "" || guid.MatchString(s), "subscription_id", "%q is not the ID of a subscription, as `az account show` has it", s),
		checkAddress("endpoint", a.Endpoint),
		checkAddress("authority", a.Authority),
		target.Check(a.ClientSecret == "" || a.ClientSecretFile == "", "client_secret", "at most one of client_secret and client_secret_file may be there"),
		target.Check(!hasSecret || a.ClientID != "", "client_id", "must name the app registration that the client secret is of"),
		target.Check(!hasSecret || a.TenantID != "", "tenant_id", "must name the tenant of the app registration"),
	)
}

func checkAddress(field, address string) error {
	u, err := url.Parse(address)
	ok := err == nil && u.Scheme == "https" && u.Host != "" && u.User == nil &&
		strings.Trim(u.Path, "/") == "" && u.RawQuery == "" && u.Fragment == ""
	return target.Check(address == "" || ok, field, "is not an address such as "+publicEndpoint+": https, a host, and nothing after it")
}

// cloud is the one that the endpoint is of.
func (a Access) cloud() cloud.Configuration {
	authority := cloud.AzurePublic.ActiveDirectoryAuthorityHost
	service := cloud.ServiceConfiguration{Endpoint: a.endpoint(), Audience: a.endpoint()}
	for _, known := range knownClouds {
		if of := known.Services[cloud.ResourceManager]; of.Endpoint == service.Endpoint {
			authority, service = known.ActiveDirectoryAuthorityHost, of
		}
	}
	service.Audience = cmp.Or(a.Audience, service.Audience)
	if a.Authority != "" {
		authority = strings.TrimSuffix(a.Authority, "/") + "/"
	}
	return cloud.Configuration{
		ActiveDirectoryAuthorityHost: authority,
		Services:                     map[cloud.ServiceName]cloud.ServiceConfiguration{cloud.ResourceManager: service},
	}
}

var knownClouds = []cloud.Configuration{cloud.AzurePublic, cloud.AzureGovernment, cloud.AzureChina}

// privateAuthority reports whether an authority is none of Microsoft's own,
// which then must not be asked whether it can be trusted.
func privateAuthority(authority string) bool {
	return !slices.ContainsFunc(knownClouds, func(known cloud.Configuration) bool {
		return strings.TrimSuffix(known.ActiveDirectoryAuthorityHost, "/") == strings.TrimSuffix(authority, "/")
	})
}
