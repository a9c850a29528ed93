// Package azuretest is Azure as its clients see it on the wire, as far as
// virtual machine scale sets go: the token endpoint of an authority, and of
// Azure Resource Manager the scale sets, their instances, long-running
// operations and autoscale settings. It is written from the published API
// model, for tests, and knows no client.
package azuretest

import (
	"crypto/rand"
	"crypto/x509"
	"net/http"
	"net/http/httptest"
	"strings"
	"time"

	"github.com/alertscaler/alertscaler/scaler/target/standin"
)

// The identity that a new Server accepts, and what it has.
const (
	Subscription = "11111111-2222-3333-4444-555555555555"
	Tenant       = "99999999-8888-7777-6666-555555555555"
	Client       = "aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee"
	Secret       = "app-secret"
)

// The only versions of the API that are answered.
const (
	ComputeVersion  = "2024-07-01"
	InsightsVersion = "2022-10-01"
)

// Server is one cloud with one subscription. Fields are set before the first
// request; all methods are safe for concurrent use.
type Server struct {
	// PageSize is how many entries one page of a list has; 0: 50.
	PageSize int
	// Lag is how long lists and reads of a scale set go on showing what was
	// there before a change, its etag included.
	Lag time.Duration
	// Forbidden identities get a token and may do nothing.
	Forbidden bool
	// ForbidSubscription refuses lists of the whole subscription.
	ForbidSubscription bool
	// ForbidGroups refuses lists of resource groups too.
	ForbidGroups bool
	// Quota is the most instances that all sets together may have; 0: none.
	Quota int

	url  string
	http *httptest.Server // nil: whoever made it serves it

	state    standin.State // guards what is below
	sets     map[string]*set
	ops      map[string]*operation
	settings []Setting
	tokens   map[string]time.Time
	requests []string
	faults   standin.Faults[Fault]
}

// Setting is an autoscale setting.
type Setting struct {
	Group, Name, Target string
	Enabled             bool
}

// Fault answers requests instead of the server.
type Fault struct {
	// Method and Path select them; Path is a part of the path, in any case.
	Method, Path string
	// Status, Code, Message and Header are the answer, in the documented form.
	Status        int
	Code, Message string
	Details       []Detail
	Header        map[string]string
	// Raw is the body where it is not an error of Azure.
	Raw string
	// Times is how many are answered so; 0: all.
	Times int
}

// Detail is one of an error's details.
type Detail struct {
	Code    string `json:"code"`
	Message string `json:"message"`
}

// New starts a server, which serves TLS, since tokens travel over nothing else.
func New() *Server {
	s := At("")
	s.http = httptest.NewTLSServer(s)
	s.url = s.http.URL
	return s
}

// At returns a server that the caller serves, at this URL.
func At(url string) *Server {
	return &Server{
		url: url, sets: make(map[string]*set), ops: make(map[string]*operation),
		tokens: make(map[string]time.Time),
	}
}

// Close ends a server that New started, and its connections.
func (s *Server) Close() {
	s.http.CloseClientConnections()
	s.http.Close()
}

// URL is the endpoint of Azure Resource Manager and the authority at once.
func (s *Server) URL() string { return s.url }

// HTTPClient trusts the server's certificate.
func (s *Server) HTTPClient() *http.Client { return s.http.Client() }

// Certificate is the server's own, which signed itself.
func (s *Server) Certificate() *x509.Certificate { return s.http.Certificate() }

// Fail answers requests with a fault from now on.
func (s *Server) Fail(f Fault) {
	s.state.Do(func() { s.faults.Add(f, f.Method, strings.ToLower(f.Path), f.Times) })
}

// AddSetting puts an autoscale setting into a resource group.
func (s *Server) AddSetting(x Setting) { s.state.Do(func() { s.settings = append(s.settings, x) }) }

// ClearSettings removes all autoscale settings.
func (s *Server) ClearSettings() { s.state.Do(func() { s.settings = nil }) }

// Requests returns what was asked of Azure Resource Manager so far, as "METHOD
// path", and forgets it.
func (s *Server) Requests() (out []string) {
	s.state.Do(func() { out, s.requests = s.requests, nil })
	return out
}

// ServeHTTP implements http.Handler.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	serve, fail := s.authority, oauthError
	if strings.HasPrefix(strings.ToLower(r.URL.Path), "/subscriptions/") {
		serve, fail = s.manage, resourceError
	}
	standin.Buffer(r)
	if refusal := s.state.Try(func() { serve(w, r) }); refusal != nil {
		fail(w, &Fault{Status: refusal.Status, Code: refusal.Code, Message: refusal.Message})
	}
}

// authority is Microsoft Entra ID: what it says of itself, and tokens for
// client credentials.
func (s *Server) authority(w http.ResponseWriter, r *http.Request) {
	base := s.URL() + "/" + Tenant
	switch r.URL.Path {
	case "/common/discovery/instance":
		host := strings.TrimPrefix(s.URL(), "https://")
		reply(w, http.StatusOK, object{
			"tenant_discovery_endpoint": base + "/v2.0/.well-known/openid-configuration",
			"metadata": []any{object{
				"preferred_network": host, "preferred_cache": host, "aliases": []string{host},
			}},
		})
	case "/" + Tenant + "/v2.0/.well-known/openid-configuration":
		reply(w, http.StatusOK, object{
			"token_endpoint":         base + "/oauth2/v2.0/token",
			"authorization_endpoint": base + "/oauth2/v2.0/authorize",
			"issuer":                 base + "/v2.0",
		})
	case "/" + Tenant + "/oauth2/v2.0/token":
		s.token(w, r)
	default:
		standin.Refuse(http.StatusBadRequest, "invalid_tenant", "AADSTS90002: Tenant not found.")
	}
}

func (s *Server) token(w http.ResponseWriter, r *http.Request) {
	if f := s.faults.For(r.Method, strings.ToLower(r.URL.Path)); f != nil {
		oauthError(w, f)
		return
	}
	err := r.ParseForm()
	standin.Require(err == nil, http.StatusBadRequest, "invalid_request", "AADSTS900144: The request body is malformed.")
	standin.Require(r.Form.Get("grant_type") == "client_credentials",
		http.StatusBadRequest, "unsupported_grant_type", "AADSTS70003: The grant type is not supported.")
	standin.Require(strings.Contains(" "+r.Form.Get("scope")+" ", " "+s.URL()+"/.default "),
		http.StatusBadRequest, "invalid_scope", "AADSTS70011: The scope is not valid.")
	standin.Require(r.Form.Get("client_id") == Client,
		http.StatusBadRequest, "unauthorized_client", "AADSTS700016: Application was not found in the directory.")
	standin.Require(r.Form.Get("client_secret") == Secret,
		http.StatusUnauthorized, "invalid_client", "AADSTS7000215: Invalid client secret provided.")
	token := rand.Text()
	s.tokens[token] = time.Now().Add(time.Hour)
	reply(w, http.StatusOK, object{"token_type": "Bearer", "expires_in": 3600, "ext_expires_in": 3600, "access_token": token})
}

type object = standin.Object

func reply(w http.ResponseWriter, status int, body any) {
	standin.JSON(w, status, "application/json; charset=utf-8", body)
}

// oauthError answers with an error in the form of Microsoft Entra ID.
func oauthError(w http.ResponseWriter, f *Fault) {
	standin.SetHeader(w, f.Header)
	reply(w, f.Status, object{"error": f.Code, "error_description": f.Message + "\r\nTrace ID: 0", "error_codes": []int{}})
}

// resourceError answers with an error in the form of Azure Resource Manager.
func resourceError(w http.ResponseWriter, f *Fault) {
	standin.SetHeader(w, f.Header)
	if f.Raw != "" {
		standin.Raw(w, f.Status, f.Raw)
		return
	}
	reply(w, f.Status, object{"error": errorBody(f)})
}

func errorBody(f *Fault) object {
	e := object{"code": f.Code, "message": f.Message}
	e.AddIf(len(f.Details) > 0, "details", f.Details)
	return e
}
