// Package awxtest is a server that speaks the part of the AWX API, version 2,
// that job templates, their jobs and inventories are worked with. It is written
// from the published API alone, and knows nothing of who calls it.
package awxtest

import (
	"net/http"
	"net/http/httptest"
	"slices"
	"testing"
	"time"

	"github.com/alertscaler/alertscaler/scaler/target/standin"
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

	state     standin.State // guards what follows
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
	s.state.Do(func() {
		if !slices.Contains(s.ids, name) {
			s.ids = append(s.ids, name)
		}
		s.groups[name] = hosts
	})
}

// Jobs returns all jobs, the oldest first.
func (s *Server) Jobs() (out []Job) {
	s.state.Do(func() {
		for _, j := range s.jobs {
			out = append(out, *j)
		}
	})
	return out
}

// Forget deletes all jobs, as the controller's clean-up does with old ones.
func (s *Server) Forget() { s.state.Do(func() { s.jobs = nil }) }

// status moves a job on to where it should be by now and returns its state. Its
// playbook may use the server.
func (s *Server) status(j *Job) string {
	t, age := s.templates[s.find(j.Template)], time.Since(j.Created)
	if !j.ended && !j.Canceled && age >= 2*t.Takes {
		j.ended = true
		if t.Run != nil {
			var err error
			s.state.Outside(func() { err = t.Run(j.Vars) })
			j.failed = err
		}
	}
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

// find is where a template is; below 0: there is none.
func (s *Server) find(template int) int {
	return slices.IndexFunc(s.templates, func(t Template) bool { return t.ID == template })
}

// ServeHTTP answers a request of the API.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if s.Before != nil && s.Before(w, r) {
		return
	}
	standin.Buffer(r)
	if refusal := s.state.Try(func() { s.serve(w, r) }); refusal != nil {
		reply(w, refusal.Status, object{"detail": refusal.Message})
	}
}

func (s *Server) serve(w http.ResponseWriter, r *http.Request) {
	user, password, basic := r.BasicAuth()
	bearer := r.Header.Get("Authorization")
	readOnly := bearer == "Bearer "+s.ReadOnly
	if bearer != "Bearer "+s.Token && !readOnly && (!basic || user != s.User || password != s.Password) {
		w.Header().Set("WWW-Authenticate", `Bearer realm=api authorization_url=/api/o/authorize/`)
		standin.Refuse(http.StatusUnauthorized, "", "Authentication credentials were not provided. To establish a login session, visit /api/login/.")
	}
	standin.Require(!readOnly || r.Method != http.MethodPost, http.StatusForbidden, "", "You do not have permission to perform this action.")
	s.routes().ServeHTTP(w, r)
}

type object = standin.Object

func reply(w http.ResponseWriter, code int, v any) { standin.JSON(w, code, "application/json", v) }

// found refuses a request for what is not there.
func found(ok bool) { standin.Require(ok, http.StatusNotFound, "", "Not found.") }

// page answers with the first page of so many results, of which nobody needs a
// second one.
func page(w http.ResponseWriter, count int, results []object) {
	reply(w, http.StatusOK, object{"count": count, "next": nil, "previous": nil, "results": append([]object{}, results...)})
}
