// Package nomadtest is a Nomad agent as far as jobs are scaled: it speaks the
// published HTTP API of /v1/job/:id and /v1/job/:id/scale, with the answers
// and errors that Nomad 1.x gives, and starts nothing.
package nomadtest

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"
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

	mu     sync.Mutex // guards what follows
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
	evaluations                    []map[string]any
}

// Register adds a job, or replaces the one of its name, as nomad job run does.
func (s *Server) Register(j Job) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if j.Namespace == "" {
		j.Namespace = "default"
	}
	if s.jobs == nil {
		s.jobs = make(map[string]*job)
	}
	key := j.Namespace + "/" + j.ID
	s.index++
	was, ok := s.jobs[key]
	if !ok {
		was = &job{created: s.index}
		s.jobs[key] = was
	}
	was.Job = j
	s.place(was, j.Count)
}

// SetCount registers the job anew with another count.
func (s *Server) SetCount(namespace, id string, count int) {
	s.mu.Lock()
	j := s.jobs[namespace+"/"+id].Job
	s.mu.Unlock()
	j.Count = count
	s.Register(j)
}

// Events returns what was asked for and accepted, the oldest first.
func (s *Server) Events() []Event {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]Event(nil), s.events...)
}

// place brings the job to count, with s.mu held.
func (s *Server) place(j *job, count int) {
	now := time.Now()
	s.index++
	j.Count, j.submitted, j.jobModified, j.modified = count, now, s.index, s.index
	if count > len(j.started) && j.Deployments {
		j.deployed = now.Add(2 * j.StartDelay)
	}
	placed := count
	if j.Room > 0 {
		placed = min(count, j.Room)
	}
	for len(j.started) < placed {
		j.started = append(j.started, now)
	}
	j.started = j.started[:placed]
	s.evaluate(j)
}

// ServeHTTP implements http.Handler.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	token := r.Header.Get("X-Nomad-Token")
	if bearer, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer "); ok && token == "" {
		token = bearer
	}
	switch {
	case s.Token == "" || token == s.Token:
	case token == "":
		refuse(w, http.StatusForbidden, "Permission denied")
		return
	default:
		refuse(w, http.StatusForbidden, "ACL token not found")
		return
	}
	id, ok := strings.CutPrefix(r.URL.Path, "/v1/job/")
	if !ok {
		w.WriteHeader(http.StatusNotFound)
		return
	}
	namespace := r.URL.Query().Get("namespace")
	if namespace == "" {
		namespace = "default"
	}
	id, evaluations := strings.CutSuffix(id, "/evaluations")
	id, scale := strings.CutSuffix(id, "/scale")
	j := s.jobs[namespace+"/"+id]
	switch {
	case scale && (r.Method == http.MethodPut || r.Method == http.MethodPost):
		s.scale(w, r, id, j)
	case r.Method != http.MethodGet:
		refuse(w, http.StatusMethodNotAllowed, "Invalid method")
	case j == nil:
		s.setMeta(w)
		refuse(w, http.StatusNotFound, "job not found")
	case evaluations:
		s.answer(w, j.evaluations)
	case scale:
		s.answer(w, j.status())
	default:
		s.answer(w, j.describe())
	}
}

// scale answers PUT /v1/job/:id/scale.
func (s *Server) scale(w http.ResponseWriter, r *http.Request, id string, j *job) {
	var req struct {
		Count          *int64
		Target         map[string]string
		Message        string
		JobModifyIndex uint64
	}
	if err := json.NewDecoder(r.Body).Decode(&req); err != nil {
		refuse(w, http.StatusBadRequest, err.Error())
		return
	}
	if name := req.Target["Job"]; name != "" && name != id {
		refuse(w, http.StatusBadRequest, "job ID in payload did not match URL")
		return
	}
	switch {
	case req.Count != nil && *req.Count < 0:
		refuse(w, http.StatusBadRequest, "scaling action count can't be negative")
	case j == nil:
		refuse(w, http.StatusNotFound, fmt.Sprintf("job %q not found", id))
	case j.Type == "system":
		refuse(w, http.StatusBadRequest, `cannot scale jobs of type "system"`)
	case req.Target["Group"] != j.Group:
		refuse(w, http.StatusBadRequest, fmt.Sprintf("task group %q specified for scaling does not exist in job", req.Target["Group"]))
	case req.Count == nil:
		s.answer(w, map[string]any{"JobModifyIndex": j.modified})
	case j.Scaling != nil && *req.Count < j.Scaling.Min:
		refuse(w, http.StatusBadRequest, fmt.Sprintf("group count was less than scaling policy minimum: %d < %d", *req.Count, j.Scaling.Min))
	case j.Scaling != nil && *req.Count > j.Scaling.Max:
		refuse(w, http.StatusBadRequest, fmt.Sprintf("group count was greater than scaling policy maximum: %d > %d", *req.Count, j.Scaling.Max))
	case time.Now().Before(j.deployed):
		refuse(w, http.StatusBadRequest, "job scaling blocked due to active deployment")
	case req.JobModifyIndex > 0 && req.JobModifyIndex != j.jobModified:
		refuse(w, http.StatusInternalServerError, fmt.Sprintf(
			"Enforcing job modify index %d: job exists with conflicting job modify index: %d", req.JobModifyIndex, j.jobModified))
	default:
		s.events = append(s.events, Event{Job: id, Group: j.Group, Message: req.Message, Count: *req.Count, Previous: int64(j.Count)})
		s.place(j, int(*req.Count))
		s.answer(w, map[string]any{
			"EvalID": fmt.Sprintf("00000000-0000-0000-0000-%012d", s.index), "EvalCreateIndex": s.index,
			"JobModifyIndex": s.index, "Warnings": "",
		})
	}
}

// refuse answers as Nomad does: in plain text, without a newline.
func refuse(w http.ResponseWriter, status int, message string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.WriteHeader(status)
	_, _ = w.Write([]byte(message))
}

func (s *Server) setMeta(w http.ResponseWriter) {
	w.Header().Set("X-Nomad-Index", strconv.FormatUint(s.index, 10))
	w.Header().Set("X-Nomad-KnownLeader", "true")
	w.Header().Set("X-Nomad-LastContact", "0")
}

func (s *Server) answer(w http.ResponseWriter, v any) {
	s.setMeta(w)
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(v)
}
