package azure

import (
	"errors"
	"strings"
	"testing"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/cloud"
	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v3"

	"github.com/alertscaler/alertscaler/scaler/target"
)

const subscription = "00000000-1111-2222-3333-444444444444"

func TestValidate(t *testing.T) {
	t.Parallel()
	good := Config{Access: Access{SubscriptionID: subscription}, ResourceGroup: "shop", Name: "web"}
	for _, test := range []struct {
		name, field string
		change      func(*Config)
	}{
		{"good", "", func(*Config) {}},
		{"sovereign", "", func(c *Config) { c.Endpoint = "https://management.usgovcloudapi.net/" }},
		{"group in any script", "", func(c *Config) { c.ResourceGroup = "läden_(neu).1" }},
		{"subscription by name", "subscription_id", func(c *Config) { c.SubscriptionID = "production" }},
		{"no group", "resource_group", func(c *Config) { c.ResourceGroup = "" }},
		{"group with a slash", "resource_group", func(c *Config) { c.ResourceGroup = "a/b" }},
		{"group with a dot at its end", "resource_group", func(c *Config) { c.ResourceGroup = "a." }},
		{"no name", "name", func(c *Config) { c.Name = "" }},
		{"name with a slash", "name", func(c *Config) { c.Name = "web/../db" }},
		{"endpoint without TLS", "endpoint", func(c *Config) { c.Endpoint = "http://management.azure.com" }},
		{"endpoint with a path", "endpoint", func(c *Config) { c.Endpoint = "https://management.azure.com/x" }},
		{"authority with a user", "authority", func(c *Config) { c.Authority = "https://me@login.microsoftonline.com" }},
		{"two secrets", "client_secret", func(c *Config) { c.ClientSecret, c.ClientSecretFile = "a", "b" }},
		{"secret of nobody", "client_id", func(c *Config) { c.ClientSecret = "a" }},
		{"secret of no tenant", "tenant_id", func(c *Config) { c.ClientSecret, c.ClientID = "a", "b" }},
	} {
		c := good
		test.change(&c)
		err := c.Validate()
		field := ""
		if e, ok := errors.AsType[*target.FieldError](err); ok {
			field = e.Field
		}
		if field != test.field || (err == nil) != (test.field == "") {
			t.Errorf("%s: %v, want a complaint about %q", test.name, err, test.field)
		}
	}
}

func TestSubscriptionOfTheEnvironment(t *testing.T) {
	t.Setenv("AZURE_SUBSCRIPTION_ID", "")
	c := Config{ResourceGroup: "shop", Name: "web"}
	if err := c.Validate(); err == nil || !strings.Contains(err.Error(), "AZURE_SUBSCRIPTION_ID") {
		t.Errorf("without a subscription: %v", err)
	}
	d := DiscoveryConfig{}
	if err := d.Validate(); err != nil {
		t.Errorf("a discovery without a subscription is valid until it is built: %v", err)
	}
	if _, err := d.New(target.Options{}); !errors.Is(err, errNoSubscription) {
		t.Errorf("New: %v, want %v", err, errNoSubscription)
	}
	t.Setenv("AZURE_SUBSCRIPTION_ID", subscription)
	if err := c.Validate(); err != nil {
		t.Error(err)
	}
	if got, want := c.Identity(), "azure_vmss "+subscription+"/shop/web"; got != want {
		t.Errorf("identity %q, want %q", got, want)
	}
}

func TestIdentity(t *testing.T) {
	t.Parallel()
	a := Config{Access: Access{SubscriptionID: subscription}, ResourceGroup: "Shop", Name: "Web"}
	b := Config{Access: Access{SubscriptionID: strings.ToUpper(subscription), Endpoint: publicEndpoint + "/"}, ResourceGroup: "shop", Name: "web"}
	if a.Identity() != b.Identity() {
		t.Errorf("%q and %q are the same set", a.Identity(), b.Identity())
	}
	b.Endpoint = "https://management.chinacloudapi.cn"
	if a.Identity() == b.Identity() {
		t.Errorf("%q is in two clouds", a.Identity())
	}
}

func TestClouds(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		access                        Access
		authority, endpoint, audience string
	}{
		{Access{}, "https://login.microsoftonline.com/", publicEndpoint, "https://management.core.windows.net/"},
		{Access{Endpoint: "https://management.usgovcloudapi.net"}, "https://login.microsoftonline.us/", "https://management.usgovcloudapi.net", "https://management.core.usgovcloudapi.net/"},
		{Access{Endpoint: "https://management.chinacloudapi.cn/"}, "https://login.chinacloudapi.cn/", "https://management.chinacloudapi.cn", "https://management.core.chinacloudapi.cn/"},
		{Access{Endpoint: "https://management.local.example", Authority: "https://login.local.example"}, "https://login.local.example/", "https://management.local.example", "https://management.local.example"},
		{Access{Endpoint: "https://management.local.example", Audience: "https://management.azs.onmicrosoft.com/1"}, "https://login.microsoftonline.com/", "https://management.local.example", "https://management.azs.onmicrosoft.com/1"},
	} {
		got := test.access.cloud()
		s := got.Services[cloud.ResourceManager]
		if got.ActiveDirectoryAuthorityHost != test.authority || s.Endpoint != test.endpoint || s.Audience != test.audience {
			t.Errorf("%+v is %+v", test.access, got)
		}
	}
}

// TestCredentials: nothing is dialed and every way to say who we are builds.
func TestCredentials(t *testing.T) {
	t.Parallel()
	for _, a := range []Access{
		{},
		{TenantID: subscription},
		{ClientID: subscription},
		{ClientID: subscription, TenantID: subscription, ClientSecret: "x"},
		{ClientID: subscription, TenantID: subscription, ClientSecretFile: "x"},
	} {
		a.SubscriptionID = subscription
		if _, err := newAccount(a, nil, settledFor); err != nil {
			t.Errorf("%+v: %v", a, err)
		}
	}
}

func TestDecode(t *testing.T) {
	t.Parallel()
	c := new(Clients).NewConfig()
	if err := yaml.Unmarshal([]byte(`
subscription_id: `+subscription+`
tenant_id: t
client_id: c
client_secret: very-secret
resource_group: shop
name: web
allow_other_owners: true
`), c); err != nil {
		t.Fatal(err)
	}
	got := *c.(*Config)
	if got.clients == nil {
		t.Error("the clients were lost")
	}
	got.clients = nil
	want := Config{
		Access:        Access{SubscriptionID: subscription, TenantID: "t", ClientID: "c", ClientSecret: "very-secret"},
		ResourceGroup: "shop", Name: "web", AllowOtherOwners: true,
	}
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(Config{})); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if text, err := yaml.Marshal(&got); err != nil || strings.Contains(string(text), "very-secret") {
		t.Errorf("printed with its secret: %v\n%s", err, text)
	}
}
