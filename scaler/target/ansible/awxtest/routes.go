package awxtest

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// routes are the resources of the API that this server has.
func (s *Server) routes() *http.ServeMux {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /api/v2/job_templates/{$}", s.listTemplates)
	mux.HandleFunc("GET /api/v2/job_templates/{id}/launch/{$}", byID(s.template, s.launchOptions))
	mux.HandleFunc("POST /api/v2/job_templates/{id}/launch/{$}", byID(s.template, s.launch))
	mux.HandleFunc("GET /api/v2/job_templates/{id}/jobs/{$}", s.listJobs)
	mux.HandleFunc("GET /api/v2/jobs/{id}/{$}", byID(s.job, s.getJob))
	mux.HandleFunc("POST /api/v2/jobs/{id}/cancel/{$}", byID(s.job, s.cancelJob))
	mux.HandleFunc("GET /api/v2/jobs/{id}/job_events/{$}", byID(s.job, s.listEvents))
	mux.HandleFunc("GET /api/v2/inventories/{$}", s.listInventories)
	mux.HandleFunc("GET /api/v2/groups/{$}", s.listGroups)
	mux.HandleFunc("GET /api/v2/groups/{id}/all_hosts/{$}", s.listHosts)
	mux.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) { notFound(w) })
	return mux
}

func id(r *http.Request) int {
	n, _ := strconv.Atoi(r.PathValue("id"))
	return n
}

// byID gives a handler the thing that the path names, where there is one.
func byID[T any](get func(id int) (T, bool), then func(http.ResponseWriter, *http.Request, T)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		thing, ok := get(id(r))
		if !ok {
			notFound(w)
			return
		}
		then(w, r, thing)
	}
}

func (s *Server) template(id int) (Template, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	i := slices.IndexFunc(s.templates, func(t Template) bool { return t.ID == id })
	if i < 0 {
		return Template{}, false
	}
	return s.templates[i], true
}

func (s *Server) job(id int) (*Job, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	i := slices.IndexFunc(s.jobs, func(j *Job) bool { return j.ID == id })
	if i < 0 {
		return nil, false
	}
	return s.jobs[i], true
}

func (s *Server) listTemplates(w http.ResponseWriter, r *http.Request) {
	var found []object
	s.mu.Lock()
	for _, t := range s.templates {
		if t.Name == r.FormValue("name") {
			found = append(found, object{"id": t.ID, "type": "job_template", "name": t.Name})
		}
	}
	s.mu.Unlock()
	page(w, found)
}

func (s *Server) launchOptions(w http.ResponseWriter, _ *http.Request, t Template) {
	reply(w, http.StatusOK, object{
		"can_start_without_user_input": len(t.Required) == 0,
		"passwords_needed_to_start":    []string{},
		"ask_variables_on_launch":      t.AskVariables,
		"ask_inventory_on_launch":      false,
		"survey_enabled":               len(t.Required) > 0,
		"variables_needed_to_start":    t.Required,
		"inventory_needed_to_start":    false,
		"job_template_data":            object{"id": t.ID, "name": t.Name, "description": ""},
	})
}

func (s *Server) launch(w http.ResponseWriter, r *http.Request, t Template) {
	var body struct {
		Vars map[string]any `json:"extra_vars"`
	}
	if err := json.NewDecoder(r.Body).Decode(&body); err != nil {
		reply(w, http.StatusBadRequest, object{"detail": "JSON parse error - " + err.Error()})
		return
	}
	var missing []string
	for _, name := range t.Required {
		if _, ok := body.Vars[name]; !ok {
			missing = append(missing, fmt.Sprintf("'%s' value missing", name))
		}
	}
	if len(missing) > 0 {
		reply(w, http.StatusBadRequest, object{"variables_needed_to_start": missing})
		return
	}
	ignored := object{}
	if !t.AskVariables {
		rejected := maps.Clone(body.Vars)
		maps.DeleteFunc(rejected, func(name string, _ any) bool { return slices.Contains(t.Required, name) })
		maps.DeleteFunc(body.Vars, func(name string, _ any) bool { return !slices.Contains(t.Required, name) })
		ignored["extra_vars"] = rejected
	}
	s.mu.Lock()
	j := &Job{ID: 100 + len(s.jobs), Template: t.ID, Vars: body.Vars, Created: time.Now()}
	s.jobs = append(s.jobs, j)
	s.mu.Unlock()
	out := s.describe(j)
	out["job"], out["ignored_fields"] = j.ID, ignored
	reply(w, http.StatusCreated, out)
}

func (s *Server) describe(j *Job) object {
	status := s.status(j)
	vars, _ := json.Marshal(j.Vars) // it was JSON when it came
	return object{
		"id": j.ID, "type": "job", "url": fmt.Sprintf("/api/v2/jobs/%d/", j.ID),
		"created": j.Created.UTC().Format(time.RFC3339Nano), "job_template": j.Template,
		"status": status, "failed": status == "failed" || status == "error" || status == "canceled",
		"job_explanation": "", "extra_vars": string(vars),
	}
}

func (s *Server) listJobs(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	jobs := slices.Clone(s.jobs)
	s.mu.Unlock()
	slices.Reverse(jobs) // the caller asks for order_by=-id
	wanted := strings.Split(r.FormValue("status__in"), ",")
	var found []object
	for _, j := range jobs {
		if d := s.describe(j); j.Template == id(r) && slices.Contains(wanted, d["status"].(string)) {
			found = append(found, d)
		}
	}
	page(w, found)
}

func (s *Server) getJob(w http.ResponseWriter, _ *http.Request, j *Job) {
	reply(w, http.StatusOK, s.describe(j))
}

func (s *Server) cancelJob(w http.ResponseWriter, _ *http.Request, j *Job) {
	if st := s.status(j); st != "pending" && st != "running" {
		w.WriteHeader(http.StatusMethodNotAllowed)
		return
	}
	s.mu.Lock()
	j.Canceled = true
	s.mu.Unlock()
	w.WriteHeader(http.StatusAccepted)
}

func (s *Server) listEvents(w http.ResponseWriter, _ *http.Request, j *Job) {
	s.mu.Lock()
	failed := j.failed
	s.mu.Unlock()
	if failed == nil {
		page(w, nil)
		return
	}
	page(w, []object{{"id": 1, "event": "runner_on_failed", "counter": 7, "failed": true, "stdout": fmt.Sprintf("fatal: [localhost]: FAILED! => {\"msg\": %q}", failed.Error())}})
}

func (s *Server) listInventories(w http.ResponseWriter, r *http.Request) {
	if r.FormValue("name") != s.inventory {
		page(w, nil)
		return
	}
	page(w, []object{{"id": 1, "name": s.inventory}})
}

func (s *Server) listGroups(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	i := slices.Index(s.ids, r.FormValue("name"))
	s.mu.Unlock()
	if i < 0 || r.FormValue("inventory") != "1" {
		page(w, nil)
		return
	}
	page(w, []object{{"id": i + 1, "name": r.FormValue("name"), "inventory": 1}})
}

func (s *Server) listHosts(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	i := id(r) - 1
	if i < 0 || i >= len(s.ids) {
		notFound(w)
		return
	}
	hosts := s.groups[s.ids[i]]
	shown := hosts[:min(len(hosts), max(1, atoi(r.FormValue("page_size"))))]
	results := make([]object, len(shown))
	for n, h := range shown {
		results[n] = object{"id": n + 1, "name": h, "enabled": true}
	}
	reply(w, http.StatusOK, object{"count": len(hosts), "next": nil, "previous": nil, "results": results})
}

func atoi(s string) int {
	n, _ := strconv.Atoi(s)
	return n
}
