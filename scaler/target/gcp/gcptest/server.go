package gcptest

import (
	"crypto/rsa"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"time"
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

	mu         sync.Mutex // guards what follows
	groups     map[string]*group
	operations map[string]*operation
	order      []*operation // not carried out yet, the oldest first
	requestIDs map[string]*operation
	scalers    map[string]string // modes of autoscalers by their path
	accounts   map[string]*account
	tokens     map[string]token
	faults     []*Fault
	opFaults   []opFault
	requests   []string
	serial     int
}

type account struct {
	key         *rsa.PrivateKey
	permissions map[string]bool // nil: all
	actsAs      map[string]bool
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

	hits int
}

// Inject adds a fault; earlier ones come first.
func (s *Server) Inject(f Fault) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults = append(s.faults, &f)
}

// Requests returns what was asked of the API, as "GET /compute/v1/…", the
// oldest first.
func (s *Server) Requests() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]string(nil), s.requests...)
}

// ForgetRequests empties what Requests returns.
func (s *Server) ForgetRequests() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.requests = nil
}

// ServeHTTP implements http.Handler.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	fault := s.faultFor(r)
	if fault != nil && fault.Answer != nil {
		s.mu.Unlock()
		fault.Answer(w, r)
		return
	}
	defer s.mu.Unlock()
	if fault != nil {
		refuse(w, fault.Status, fault.Reason, fault.Message, fault.RetryAfter, fault.Details)
		return
	}
	switch {
	case r.URL.Path == "/token":
		s.giveToken(w, r)
	case strings.HasSuffix(r.URL.Path, ":generateAccessToken"):
		s.impersonate(w, r)
	case strings.HasPrefix(r.URL.Path, "/compute/v1/projects/"):
		s.requests = append(s.requests, r.Method+" "+r.URL.Path)
		s.compute(w, r)
	default:
		http.NotFound(w, r)
	}
}

func (s *Server) faultFor(r *http.Request) *Fault {
	for _, f := range s.faults {
		if (f.Method == "" || f.Method == r.Method) && strings.Contains(r.URL.Path, f.Path) && (f.Times == 0 || f.hits < f.Times) {
			f.hits++
			return f
		}
	}
	return nil
}

// compute answers a request of the Compute Engine API.
func (s *Server) compute(w http.ResponseWriter, r *http.Request) {
	now := time.Now()
	s.advance(now)
	email, ok := s.bearer(r, now)
	if !ok {
		refuse(w, http.StatusUnauthorized, "authError", "Request had invalid authentication credentials. Expected OAuth 2 access token, login cookie or other valid authentication credential.", "", nil)
		return
	}
	p := strings.Split(strings.TrimPrefix(r.URL.Path, "/compute/v1/projects/"), "/")
	call := call{Server: s, w: w, r: r, now: now, email: email}
	switch {
	case len(p) == 3 && p[1] == "aggregated" && p[2] == "instanceGroupManagers" && r.Method == http.MethodGet:
		call.aggregated(p[0])
	case len(p) < 4 || (p[1] != "zones" && p[1] != "regions"):
		call.notFound(r.URL.Path)
	case p[3] == "instanceGroupManagers":
		call.groupCall(strings.Join(p[:3], "/"), p[4:])
	case p[3] == "operations" && len(p) == 5 && r.Method == http.MethodGet:
		call.operation(strings.Join(p[:3], "/"), p[4])
	case p[3] == "autoscalers" && len(p) == 5 && r.Method == http.MethodGet:
		call.autoscaler(strings.Join(p, "/"), p[4])
	default:
		call.notFound(r.URL.Path)
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

// may reports whether the caller has a permission, and refuses if not.
func (c call) may(permission, resource string) bool {
	a := c.accounts[c.email]
	if a.permissions == nil || a.permissions[permission] {
		return true
	}
	refuse(c.w, http.StatusForbidden, "forbidden", fmt.Sprintf("Required '%s' permission for 'projects/%s'", permission, resource), "", nil)
	return false
}

func (c call) notFound(resource string) {
	refuse(c.w, http.StatusNotFound, "notFound", fmt.Sprintf("The resource '%s' was not found", resource), "", nil)
}

func (c call) invalid(message string) {
	refuse(c.w, http.StatusBadRequest, "invalid", message, "", nil)
}

// autoscaler answers GET …/autoscalers/NAME.
func (c call) autoscaler(path, name string) {
	if !c.may("compute.autoscalers.get", path) {
		return
	}
	mode, ok := c.scalers[path]
	if !ok {
		c.notFound("projects/" + path)
		return
	}
	policy := map[string]any{"minNumReplicas": 1, "maxNumReplicas": 10, "coolDownPeriodSec": 60}
	if mode != "" {
		policy["mode"] = mode
	}
	c.answer(map[string]any{
		"kind": "compute#autoscaler", "id": "1", "name": name, "status": "ACTIVE", "autoscalingPolicy": policy,
		"selfLink": link(path),
	})
}

// link is the full URL of a resource.
func link(path string) string { return "https://www.googleapis.com/compute/v1/projects/" + path }
