// Package nomadtest is a Nomad agent as far as jobs are scaled: it speaks the
// published HTTP API of /v1/job/:id and /v1/job/:id/scale, with the answers
// and errors that Nomad 1.x gives, and starts nothing.
package nomadtest

import (
	"cmp"
	"encoding/json"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/alertscaler/alertscaler/scaler/target/standin"
)

// Job is a job with one task group.
type Job struct {
	ID, Namespace, Group string
	// Type is service, batch or system.
	Type  string
	Count int
	// Scaling is the group's scaling block, nil where it has none.
	Scaling *Scaling
	// StartDelay is the time until an allocation runs and, of a service job,
	// once more until it is healthy.
	StartDelay time.Duration
	// Deployments says that the job has an update block: adding allocations is
	// a deployment, and nothing is scaled until all are healthy.
	Deployments bool
	Stopped     bool
	// HealthCheck is that of the update block: checks, or manual, where no
	// allocation ever becomes healthy by itself.
	HealthCheck string
	// Room is how many allocations find a node; 0: as many as there are.
	Room int
}

// Scaling is a scaling block.
type Scaling struct{ Min, Max int64 }

// Server is the agent, an http.Handler. All methods are safe for concurrent
// use.
type Server struct {
	// Token is asked for where it is not empty, as with ACLs enabled.
	Token string

	state  standin.State // guards what follows
	index  uint64
	jobs   map[string]*job
	events []Event
}

// Event is a request for another count that was accepted.
type Event struct {
	Job, Group, Message string
	Count, Previous     int64
}

type job struct {
	Job
	created, modified, jobModified uint64
	submitted                      time.Time
	started                        []time.Time // of each allocation
	deployed                       time.Time   // until then a deployment goes on
	evaluations                    []standin.Object
}

// Register adds a job, or replaces the one of its name, as nomad job run does.
func (s *Server) Register(j Job) { s.state.Do(func() { s.register(j) }) }

func (s *Server) register(j Job) {
	j.Namespace = cmp.Or(j.Namespace, "default")
	key := j.Namespace + "/" + j.ID
	s.index++
	if _, ok := s.jobs[key]; !ok {
		s.jobs = standin.Put(s.jobs, key, &job{created: s.index})
	}
	s.jobs[key].Job = j
	s.place(s.jobs[key], j.Count)
}

// SetCount registers the job anew with another count.
func (s *Server) SetCount(namespace, id string, count int) {
	s.state.Do(func() {
		j := s.jobs[namespace+"/"+id].Job
		j.Count = count
		s.register(j)
	})
}

// Events returns what was asked for and accepted, the oldest first.
func (s *Server) Events() (out []Event) {
	s.state.Do(func() { out = slices.Clone(s.events) })
	return out
}

// place brings the job to count.
func (s *Server) place(j *job, count int) {
	now := time.Now()
	s.index++
	j.Count, j.submitted, j.jobModified, j.modified = count, now, s.index, s.index
	if count > len(j.started) && j.Deployments {
		j.deployed = now.Add(2 * j.StartDelay)
	}
	placed := min(count, cmp.Or(j.Room, count))
	for len(j.started) < placed {
		j.started = append(j.started, now)
	}
	j.started = j.started[:placed]
	s.evaluate(j)
}

// ServeHTTP implements http.Handler. Errors are in plain text, without a
// newline.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if refusal := s.state.Try(func() { s.serve(w, r) }); refusal != nil {
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		standin.Raw(w, refusal.Status, refusal.Message)
	}
}

func (s *Server) serve(w http.ResponseWriter, r *http.Request) {
	token := r.Header.Get("X-Nomad-Token")
	if bearer, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer "); ok && token == "" {
		token = bearer
	}
	if s.Token != "" {
		require(token != "", http.StatusForbidden, "Permission denied")
		require(token == s.Token, http.StatusForbidden, "ACL token not found")
	}
	id, ok := strings.CutPrefix(r.URL.Path, "/v1/job/")
	if !ok {
		w.WriteHeader(http.StatusNotFound)
		return
	}
	id, evaluations := strings.CutSuffix(id, "/evaluations")
	id, scale := strings.CutSuffix(id, "/scale")
	j := s.jobs[cmp.Or(r.URL.Query().Get("namespace"), "default")+"/"+id]
	change := scale && (r.Method == http.MethodPut || r.Method == http.MethodPost)
	require(change || r.Method == http.MethodGet, http.StatusMethodNotAllowed, "Invalid method")
	var answer any
	switch {
	case change:
		answer = s.scale(r, id, j)
	case j == nil:
		s.setMeta(w)
		require(false, http.StatusNotFound, "job not found")
	case evaluations:
		answer = j.evaluations
	case scale:
		answer = j.status()
	default:
		answer = j.describe()
	}
	s.setMeta(w)
	standin.JSON(w, http.StatusOK, "application/json", answer)
}

// scale answers PUT /v1/job/:id/scale.
func (s *Server) scale(r *http.Request, id string, j *job) standin.Object {
	var req struct {
		Count          *int64
		Target         map[string]string
		Message        string
		JobModifyIndex uint64
	}
	err := json.NewDecoder(r.Body).Decode(&req)
	require(err == nil, http.StatusBadRequest, "%v", err)
	name, group := req.Target["Job"], req.Target["Group"]
	require(name == "" || name == id, http.StatusBadRequest, "job ID in payload did not match URL")
	require(req.Count == nil || *req.Count >= 0, http.StatusBadRequest, "scaling action count can't be negative")
	require(j != nil, http.StatusNotFound, "job %q not found", id)
	require(j.Type != "system", http.StatusBadRequest, `cannot scale jobs of type "system"`)
	require(group == j.Group, http.StatusBadRequest, "task group %q specified for scaling does not exist in job", group)
	if req.Count == nil {
		return standin.Object{"JobModifyIndex": j.modified}
	}
	n := *req.Count
	if block := j.Scaling; block != nil {
		require(n >= block.Min, http.StatusBadRequest, "group count was less than scaling policy minimum: %d < %d", n, block.Min)
		require(n <= block.Max, http.StatusBadRequest, "group count was greater than scaling policy maximum: %d > %d", n, block.Max)
	}
	require(!time.Now().Before(j.deployed), http.StatusBadRequest, "job scaling blocked due to active deployment")
	require(req.JobModifyIndex == 0 || req.JobModifyIndex == j.jobModified, http.StatusInternalServerError,
		"Enforcing job modify index %d: job exists with conflicting job modify index: %d", req.JobModifyIndex, j.jobModified)
	s.events = append(s.events, Event{Job: id, Group: j.Group, Message: req.Message, Count: n, Previous: int64(j.Count)})
	s.place(j, int(n))
	return standin.Object{"EvalID": evaluationID(s.index), "EvalCreateIndex": s.index, "JobModifyIndex": s.index, "Warnings": ""}
}

// require refuses unless ok: Nomad's errors have no code.
func require(ok bool, status int, format string, args ...any) {
	standin.Require(ok, status, "", format, args...)
}

func (s *Server) setMeta(w http.ResponseWriter) {
	standin.SetHeader(w, map[string]string{
		"X-Nomad-Index": strconv.FormatUint(s.index, 10), "X-Nomad-KnownLeader": "true", "X-Nomad-LastContact": "0",
	})
}
