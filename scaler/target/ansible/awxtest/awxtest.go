// Package awxtest is a server that speaks the part of the AWX API, version 2,
// that job templates, their jobs and inventories are worked with. It is written
// from the published API alone, and knows nothing of who calls it.
package awxtest

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"testing"
	"time"
)

// Template is a job template.
type Template struct {
	ID   int
	Name string
	// AskVariables is its prompt on launch for variables. Without it variables
	// are ignored, and the job is launched all the same.
	AskVariables bool
	// Required are variables that its survey insists on.
	Required []string
	// Run is the playbook, called when the job ends. What it returns is why
	// the job failed.
	Run func(vars map[string]any) error
	// Takes is how long a job is pending, and as long again running.
	Takes time.Duration
}

// Job is a job of a template.
type Job struct {
	ID, Template int
	Vars         map[string]any
	Created      time.Time
	Canceled     bool

	ended  bool
	failed error
}

// Server is a controller. Its fields are set before the first request.
type Server struct {
	// URL of the server, without /api/v2.
	URL string
	// Token that a request must have as its bearer; User and Password do as
	// well. ReadOnly is a token that may look and not launch.
	Token, ReadOnly, User, Password string
	// Before, where set, may answer a request itself, and says whether it did.
	Before func(w http.ResponseWriter, r *http.Request) bool

	mu        sync.Mutex
	templates []Template
	jobs      []*Job
	inventory string
	groups    map[string][]string
	ids       []string // of groups, by position
}

// Start starts a server that ends with the test. It has one inventory, of
// number 1, without groups.
func Start(t testing.TB, inventory string, templates ...Template) *Server {
	t.Helper()
	s := &Server{
		Token: "secret-token", ReadOnly: "read-only-token", User: "admin", Password: "password",
		templates: templates, inventory: inventory, groups: make(map[string][]string),
	}
	h := httptest.NewServer(s)
	t.Cleanup(func() {
		// A request that hangs on purpose must not keep the test.
		h.CloseClientConnections()
		h.Close()
	})
	s.URL = h.URL
	return s
}

// SetGroup gives a group of the inventory its hosts.
func (s *Server) SetGroup(name string, hosts []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !slices.Contains(s.ids, name) {
		s.ids = append(s.ids, name)
	}
	s.groups[name] = hosts
}

// Jobs returns all jobs, the oldest first.
func (s *Server) Jobs() []Job {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := make([]Job, len(s.jobs))
	for i, j := range s.jobs {
		out[i] = *j
	}
	return out
}

// Forget deletes all jobs, as the controller's clean-up does with old ones.
func (s *Server) Forget() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.jobs = nil
}

// status moves a job on to where it should be by now and returns its state.
// The caller holds no lock: a playbook may use the server.
func (s *Server) status(j *Job) string {
	s.mu.Lock()
	i := slices.IndexFunc(s.templates, func(t Template) bool { return t.ID == j.Template })
	t, age := s.templates[i], time.Since(j.Created)
	run := !j.ended && !j.Canceled && age >= 2*t.Takes
	j.ended = j.ended || run
	s.mu.Unlock()
	if run && t.Run != nil {
		err := t.Run(j.Vars)
		s.mu.Lock()
		j.failed = err
		s.mu.Unlock()
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case j.Canceled:
		return "canceled"
	case j.failed != nil:
		return "failed"
	case j.ended:
		return "successful"
	case age < t.Takes:
		return "pending"
	default:
		return "running"
	}
}

// ServeHTTP answers a request of the API.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if s.Before != nil && s.Before(w, r) {
		return
	}
	user, password, basic := r.BasicAuth()
	bearer := r.Header.Get("Authorization")
	readOnly := bearer == "Bearer "+s.ReadOnly
	if bearer != "Bearer "+s.Token && !readOnly && (!basic || user != s.User || password != s.Password) {
		w.Header().Set("WWW-Authenticate", `Bearer realm=api authorization_url=/api/o/authorize/`)
		reply(w, http.StatusUnauthorized, object{"detail": "Authentication credentials were not provided. To establish a login session, visit /api/login/."})
		return
	}
	if readOnly && r.Method == http.MethodPost {
		forbidden(w)
		return
	}
	s.routes().ServeHTTP(w, r)
}

func forbidden(w http.ResponseWriter) {
	reply(w, http.StatusForbidden, object{"detail": "You do not have permission to perform this action."})
}

type object = map[string]any

func reply(w http.ResponseWriter, code int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(code)
	_ = json.NewEncoder(w).Encode(v)
}

func notFound(w http.ResponseWriter) {
	reply(w, http.StatusNotFound, object{"detail": "Not found."})
}

// page is a page of results, of which this server needs never a second one.
func page(w http.ResponseWriter, results []object) {
	if results == nil {
		results = []object{}
	}
	reply(w, http.StatusOK, object{"count": len(results), "next": nil, "previous": nil, "results": results})
}
