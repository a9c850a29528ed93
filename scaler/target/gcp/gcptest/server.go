package gcptest

import (
	"crypto/rsa"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/alertscaler/alertscaler/scaler/target/standin"
)

// Server is Google, an http.Handler. Its fields are set before the first
// request; all methods are safe for concurrent use.
type Server struct {
	// OperationTime is how long an operation takes until it is done, a third of
	// it PENDING and the rest RUNNING. What it does happens at its end.
	OperationTime time.Duration
	// Lag is how much later than that the size of a group shows in reads.
	Lag time.Duration
	// PageSize is the most that a list answers with, whatever was asked for; 0:
	// 500.
	PageSize int
	// TokenLifetime is that of access tokens; 0: an hour.
	TokenLifetime time.Duration

	state      standin.State // guards what follows
	groups     map[string]*group
	operations map[string]*operation
	order      []*operation // not carried out yet, the oldest first
	requestIDs map[string]*operation
	scalers    map[string]string // modes of autoscalers by their path
	accounts   map[string]*account
	tokens     map[string]token
	faults     standin.Faults[Fault]
	opFaults   []*opError
	requests   []string
	serial     int
}

type account struct {
	key         *rsa.PrivateKey
	permissions []string // nil: all
	actsAs      []string
}

type token struct {
	email   string
	expires time.Time
}

// Fault is an answer that some requests get instead of theirs.
type Fault struct {
	// Method and Path say which: the method where it is not empty, and all
	// whose path contains Path.
	Method, Path string
	// Times is how many; 0: all.
	Times int
	// Status, Reason and Message are those of the error.
	Status          int
	Reason, Message string
	// RetryAfter is the header of that name.
	RetryAfter string
	// Details are those of newer parts of the API, as JSON.
	Details []any
	// Answer, where it is not nil, is given instead of an error.
	Answer http.HandlerFunc
}

// Inject adds a fault; earlier ones come first.
func (s *Server) Inject(f Fault) {
	s.state.Do(func() { s.faults.Add(f, f.Method, f.Path, f.Times) })
}

// Requests returns what was asked of the API, as "GET /compute/v1/…", the
// oldest first.
func (s *Server) Requests() (out []string) {
	s.state.Do(func() { out = slices.Clone(s.requests) })
	return out
}

// ForgetRequests empties what Requests returns.
func (s *Server) ForgetRequests() { s.state.Do(func() { s.requests = nil }) }

// ServeHTTP implements http.Handler.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var fault *Fault
	refusal := s.state.Try(func() {
		if fault = s.faults.For(r.Method, r.URL.Path); fault == nil {
			s.serve(w, r)
		}
	})
	if refusal != nil {
		fault = &Fault{Status: refusal.Status, Reason: refusal.Code, Message: refusal.Message}
	}
	switch {
	case fault == nil:
	case fault.Answer != nil:
		fault.Answer(w, r)
	case refusal != nil && r.URL.Path == "/token":
		// Errors there are those of OAuth 2.0.
		standin.JSON(w, fault.Status, oauthType, object{"error": fault.Reason, "error_description": fault.Message})
	default:
		fault.refuse(w)
	}
}

func (s *Server) serve(w http.ResponseWriter, r *http.Request) {
	switch {
	case r.URL.Path == "/token":
		s.giveToken(w, r)
	case strings.HasSuffix(r.URL.Path, ":generateAccessToken"):
		s.impersonate(w, r)
	case strings.HasPrefix(r.URL.Path, "/compute/v1/projects/"):
		s.requests = append(s.requests, r.Method+" "+r.URL.Path)
		now := time.Now()
		s.advance(now)
		email := s.bearer(r, "Request had invalid authentication credentials. Expected OAuth 2 access token, login cookie or other valid authentication credential.")
		call{Server: s, w: w, r: r, now: now, email: email}.route()
	default:
		http.NotFound(w, r)
	}
}

// call is one request.
type call struct {
	*Server
	w     http.ResponseWriter
	r     *http.Request
	now   time.Time
	email string
}

// may refuses what the caller has no permission for.
func (c call) may(permission, resource string) {
	a := c.accounts[c.email]
	standin.Require(a.permissions == nil || slices.Contains(a.permissions, permission),
		http.StatusForbidden, "forbidden", "Required '%s' permission for 'projects/%s'", permission, resource)
}

// found refuses to answer for what is not there.
func (c call) found(ok bool, resource string) {
	standin.Require(ok, http.StatusNotFound, "notFound", "The resource '%s' was not found", resource)
}

// valid refuses the value of a field; hint says more about it.
func valid(ok bool, field, value, hint string) {
	standin.Require(ok, http.StatusBadRequest, "invalid", "Invalid value for field '%s': '%s'.%s", field, value, hint)
}

// autoscaler answers GET …/autoscalers/NAME.
func (c call) autoscaler(path, name string) {
	c.may("compute.autoscalers.get", path)
	mode, ok := c.scalers[path]
	c.found(ok, "projects/"+path)
	policy := object{"minNumReplicas": 1, "maxNumReplicas": 10, "coolDownPeriodSec": 60}
	policy.AddIf(mode != "", "mode", mode)
	c.answer(object{
		"kind": "compute#autoscaler", "id": "1", "name": name, "status": "ACTIVE", "autoscalingPolicy": policy,
		"selfLink": link(path),
	})
}

// link is the full URL of a resource.
func link(path string) string { return "https://www.googleapis.com/compute/v1/projects/" + path }
