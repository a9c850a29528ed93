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

	"github.com/alertscaler/alertscaler/scaler/target/standin"
)

// routes are the resources of the API that this server has.
func (s *Server) routes() *http.ServeMux {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /api/v2/job_templates/{$}", s.listTemplates)
	mux.HandleFunc("GET /api/v2/job_templates/{id}/launch/{$}", s.launchOptions)
	mux.HandleFunc("POST /api/v2/job_templates/{id}/launch/{$}", s.launch)
	mux.HandleFunc("GET /api/v2/job_templates/{id}/jobs/{$}", s.listJobs)
	mux.HandleFunc("GET /api/v2/jobs/{id}/{$}", func(w http.ResponseWriter, r *http.Request) {
		reply(w, http.StatusOK, s.describe(s.job(r)))
	})
	mux.HandleFunc("POST /api/v2/jobs/{id}/cancel/{$}", s.cancelJob)
	mux.HandleFunc("GET /api/v2/jobs/{id}/job_events/{$}", s.listEvents)
	mux.HandleFunc("GET /api/v2/inventories/{$}", s.listInventories)
	mux.HandleFunc("GET /api/v2/groups/{$}", s.listGroups)
	mux.HandleFunc("GET /api/v2/groups/{id}/all_hosts/{$}", s.listHosts)
	mux.HandleFunc("/", func(http.ResponseWriter, *http.Request) { found(false) })
	return mux
}

func id(r *http.Request) int {
	n, _ := strconv.Atoi(r.PathValue("id"))
	return n
}

// template is the one that the path names.
func (s *Server) template(r *http.Request) Template {
	i := s.find(id(r))
	found(i >= 0)
	return s.templates[i]
}

// job is the one that the path names.
func (s *Server) job(r *http.Request) *Job {
	i := slices.IndexFunc(s.jobs, func(j *Job) bool { return j.ID == id(r) })
	found(i >= 0)
	return s.jobs[i]
}

func (s *Server) listTemplates(w http.ResponseWriter, r *http.Request) {
	var list []object
	for _, t := range s.templates {
		if t.Name == r.FormValue("name") {
			list = append(list, object{"id": t.ID, "type": "job_template", "name": t.Name})
		}
	}
	page(w, len(list), list)
}

func (s *Server) launchOptions(w http.ResponseWriter, r *http.Request) {
	t := s.template(r)
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

func (s *Server) launch(w http.ResponseWriter, r *http.Request) {
	t := s.template(r)
	var body struct {
		Vars map[string]any `json:"extra_vars"`
	}
	err := json.NewDecoder(r.Body).Decode(&body)
	standin.Require(err == nil, http.StatusBadRequest, "", "JSON parse error - %v", err)
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
	j := &Job{ID: 100 + len(s.jobs), Template: t.ID, Vars: body.Vars, Created: time.Now()}
	s.jobs = append(s.jobs, j)
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
	jobs := slices.Clone(s.jobs)
	slices.Reverse(jobs) // the caller asks for order_by=-id
	wanted := strings.Split(r.FormValue("status__in"), ",")
	var list []object
	for _, j := range jobs {
		if d := s.describe(j); j.Template == id(r) && slices.Contains(wanted, d["status"].(string)) {
			list = append(list, d)
		}
	}
	page(w, len(list), list)
}

func (s *Server) cancelJob(w http.ResponseWriter, r *http.Request) {
	j := s.job(r)
	if st := s.status(j); st != "pending" && st != "running" {
		w.WriteHeader(http.StatusMethodNotAllowed)
		return
	}
	j.Canceled = true
	w.WriteHeader(http.StatusAccepted)
}

func (s *Server) listEvents(w http.ResponseWriter, r *http.Request) {
	var list []object
	if failed := s.job(r).failed; failed != nil {
		list = []object{{"id": 1, "event": "runner_on_failed", "counter": 7, "failed": true, "stdout": fmt.Sprintf("fatal: [localhost]: FAILED! => {\"msg\": %q}", failed.Error())}}
	}
	page(w, len(list), list)
}

func (s *Server) listInventories(w http.ResponseWriter, r *http.Request) {
	var list []object
	if r.FormValue("name") == s.inventory {
		list = []object{{"id": 1, "name": s.inventory}}
	}
	page(w, len(list), list)
}

func (s *Server) listGroups(w http.ResponseWriter, r *http.Request) {
	var list []object
	if i := slices.Index(s.ids, r.FormValue("name")); i >= 0 && r.FormValue("inventory") == "1" {
		list = []object{{"id": i + 1, "name": s.ids[i], "inventory": 1}}
	}
	page(w, len(list), list)
}

func (s *Server) listHosts(w http.ResponseWriter, r *http.Request) {
	i := id(r) - 1
	found(i >= 0 && i < len(s.ids))
	hosts := s.groups[s.ids[i]]
	size, _ := strconv.Atoi(r.FormValue("page_size"))
	var list []object
	for n, h := range hosts[:min(len(hosts), max(1, size))] {
		list = append(list, object{"id": n + 1, "name": h, "enabled": true})
	}
	page(w, len(hosts), list)
}
