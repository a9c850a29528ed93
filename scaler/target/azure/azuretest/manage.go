package azuretest

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// manage is Azure Resource Manager.
func (s *Server) manage(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	s.requests = append(s.requests, r.Method+" "+r.URL.Path)
	token, _ := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	valid := time.Now().Before(s.tokens[token])
	s.mu.Unlock()
	w.Header().Set("X-Ms-Ratelimit-Remaining-Resource", "Microsoft.Compute/HighCostGet;899")
	if !valid {
		w.Header().Set("WWW-Authenticate", `Bearer authorization_uri="`+s.URL()+`/`+Tenant+`", error="invalid_token"`)
		refuse(w, http.StatusUnauthorized, "InvalidAuthenticationToken", "The access token is invalid.")
		return
	}
	if f := s.fault(r); f != nil {
		refuseWith(w, f)
		return
	}
	parts := strings.Split(strings.Trim(r.URL.Path, "/"), "/")
	path := newPath(parts)
	version := ComputeVersion
	if path.provider == "microsoft.insights" {
		version = InsightsVersion
	}
	if got := r.URL.Query().Get("api-version"); got != version {
		refuse(w, http.StatusBadRequest, "InvalidApiVersionParameter", "The api-version '%s' is invalid.", got)
		return
	}
	if path.subscription != Subscription {
		refuse(w, http.StatusNotFound, "SubscriptionNotFound", "The subscription '%s' could not be found.", path.subscription)
		return
	}
	collection := path.name == ""
	if s.Forbidden || (collection && path.group == "" && s.ForbidSubscription) ||
		(collection && s.ForbidGroups && path.kind == "virtualmachinescalesets") {
		refuse(w, http.StatusForbidden, "AuthorizationFailed", "The client does not have authorization to perform action on '%s'.", r.URL.Path)
		return
	}
	s.route(w, r, path)
}

// path is what a request is about, in lower case but for names.
type path struct {
	subscription, group, provider, kind, name, child string
}

func newPath(parts []string) path {
	var p path
	for i := 0; i < len(parts); i++ {
		next := ""
		if i+1 < len(parts) {
			next = parts[i+1]
		}
		switch strings.ToLower(parts[i]) {
		case "subscriptions":
			p.subscription = next
			i++
		case "resourcegroups":
			p.group = next
			i++
		case "providers":
			p.provider = strings.ToLower(next)
			rest := parts[min(len(parts), i+2):]
			for j, x := range rest {
				switch j {
				case 0:
					p.kind = strings.ToLower(x)
				case 1:
					p.name = x
				case 2:
					p.child = strings.ToLower(x)
				default:
					p.child += "/" + strings.ToLower(x)
				}
			}
			return p
		}
	}
	return p
}

func (s *Server) route(w http.ResponseWriter, r *http.Request, p path) {
	switch what := r.Method + " " + p.provider + "/" + p.kind; what {
	case "GET microsoft.insights/autoscalesettings":
		s.listSettings(w, r, p)
	case "GET microsoft.compute/locations":
		s.operation(w, p)
	case "GET microsoft.compute/virtualmachines":
		s.listMachines(w, r, p)
	case "GET microsoft.compute/virtualmachinescalesets":
		switch {
		case p.name == "":
			s.listSets(w, r, p)
		case p.child == "":
			s.getSet(w, p)
		case p.child == "virtualmachines":
			s.listInstances(w, r, p)
		default:
			notFound(w, r)
		}
	case "PATCH microsoft.compute/virtualmachinescalesets":
		s.patchSet(w, r, p)
	case "POST microsoft.compute/virtualmachinescalesets":
		if p.child != "delete" {
			notFound(w, r)
			return
		}
		s.deleteInstances(w, r, p)
	default:
		notFound(w, r)
	}
}

func notFound(w http.ResponseWriter, r *http.Request) {
	refuse(w, http.StatusNotFound, "InvalidResourceType", "The resource type could not be found: %s %s.", r.Method, r.URL.Path)
}

// page answers with one page of a list. The token names what was handed out, so
// that nothing is left out where some of that is gone by the next page.
func (s *Server) page(w http.ResponseWriter, r *http.Request, all []any) {
	size := s.PageSize
	if size == 0 {
		size = 50
	}
	var told []string
	if token := r.URL.Query().Get("$skiptoken"); token != "" {
		told = strings.Split(token, ",")
	}
	rest := slices.DeleteFunc(slices.Clone(all), func(item any) bool { return slices.Contains(told, nameOf(item)) })
	some := rest[:min(size, len(rest))]
	body := map[string]any{"value": append([]any{}, some...)}
	if len(some) < len(rest) {
		for _, item := range some {
			told = append(told, nameOf(item))
		}
		q := r.URL.Query()
		q.Set("$skiptoken", strings.Join(told, ","))
		body["nextLink"] = s.URL() + r.URL.Path + "?" + q.Encode()
	}
	reply(w, http.StatusOK, body)
}

// nameOf tells the items of a list apart: sets of two groups may have one name.
func nameOf(item any) string {
	m := item.(map[string]any)
	if id, ok := m["id"]; ok {
		return fmt.Sprint(id)
	}
	return fmt.Sprint(m["name"])
}

func (s *Server) listSettings(w http.ResponseWriter, r *http.Request, p path) {
	s.mu.Lock()
	var all []any
	for _, x := range s.settings {
		if strings.EqualFold(x.Group, p.group) {
			all = append(all, map[string]any{
				"name": x.Name, "type": "Microsoft.Insights/autoscaleSettings", "location": "westeurope",
				"properties": map[string]any{"enabled": x.Enabled, "targetResourceUri": x.Target, "profiles": []any{}},
			})
		}
	}
	s.mu.Unlock()
	s.page(w, r, all)
}

func (s *Server) listSets(w http.ResponseWriter, r *http.Request, p path) {
	s.mu.Lock()
	var all []any
	group := p.group == ""
	for _, x := range s.sorted() {
		if p.group == "" || strings.EqualFold(x.Group, p.group) {
			group = true
			s.advance(x)
			// Lists have the names of groups in another case.
			m := s.seen(x).body(x)
			m["id"] = strings.Replace(m["id"].(string), "/resourceGroups/"+x.Group, "/resourceGroups/"+strings.ToUpper(x.Group), 1)
			all = append(all, m)
		}
	}
	s.mu.Unlock()
	if !group {
		refuse(w, http.StatusNotFound, "ResourceGroupNotFound", "Resource group '%s' could not be found.", p.group)
		return
	}
	s.page(w, r, all)
}

// find returns a set that is up to date, with mu held, or answers that there
// is none.
func (s *Server) find(w http.ResponseWriter, p path) *set {
	x, ok := s.sets[key(p.group, p.name)]
	if !ok {
		refuse(w, http.StatusNotFound, "ResourceNotFound",
			"The Resource 'Microsoft.Compute/virtualMachineScaleSets/%s' under resource group '%s' was not found.", p.name, p.group)
		return nil
	}
	s.advance(x)
	return x
}

func (s *Server) getSet(w http.ResponseWriter, p path) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if x := s.find(w, p); x != nil {
		reply(w, http.StatusOK, s.seen(x).body(x))
	}
}

func (s *Server) listInstances(w http.ResponseWriter, r *http.Request, p path) {
	s.mu.Lock()
	x := s.find(w, p)
	if x == nil {
		s.mu.Unlock()
		return
	}
	if x.Flexible {
		s.mu.Unlock()
		refuse(w, http.StatusBadRequest, "OperationNotAllowed", "The operation is not supported for a scale set of flexible orchestration.")
		return
	}
	all := x.bodies(r.URL.Query().Get("$expand") == "instanceView")
	s.mu.Unlock()
	s.page(w, r, all)
}

func (s *Server) listMachines(w http.ResponseWriter, r *http.Request, p path) {
	id, ok := strings.CutPrefix(r.URL.Query().Get("$filter"), "'virtualMachineScaleSet/id' eq '")
	id, closed := strings.CutSuffix(id, "'")
	if !ok || !closed {
		refuse(w, http.StatusBadRequest, "InvalidParameter", "The $filter is not valid.")
		return
	}
	s.mu.Lock()
	var all []any
	for _, x := range s.sorted() {
		if x.Flexible && strings.EqualFold(x.Group, p.group) && strings.EqualFold(x.id(), id) {
			s.advance(x)
			all = x.bodies(r.URL.Query().Get("$expand") == "instanceView")
		}
	}
	s.mu.Unlock()
	s.page(w, r, all)
}

// patchSet changes the capacity, and refuses to change anything else.
func (s *Server) patchSet(w http.ResponseWriter, r *http.Request, p path) {
	var patch struct {
		SKU struct {
			Capacity *int `json:"capacity"`
		} `json:"sku"`
	}
	dec := json.NewDecoder(r.Body)
	dec.DisallowUnknownFields()
	if err := dec.Decode(&patch); err != nil || patch.SKU.Capacity == nil || *patch.SKU.Capacity < 0 {
		refuse(w, http.StatusBadRequest, "InvalidRequestContent", "The request content was invalid: %v", err)
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	x := s.find(w, p)
	if x == nil {
		return
	}
	if m := r.Header.Get("If-Match"); m != "" && m != "*" && m != x.etag() {
		refuse(w, http.StatusPreconditionFailed, "PreconditionFailed", "The condition set in the request header was not met: %s is not %s.", m, x.etag())
		return
	}
	n := *patch.SKU.Capacity
	if x.NoProfile {
		refuse(w, http.StatusBadRequest, "InvalidParameter", "The scale set has no virtual machine profile.")
		return
	}
	if s.Quota > 0 && s.total()-x.capacity+n > s.Quota {
		refuse(w, http.StatusConflict, "OperationNotAllowed",
			"Operation could not be completed as it results in exceeding approved standardDSv3Family Cores quota. Current Limit: %d.", s.Quota)
		return
	}
	s.preempt(x)
	x.asked = append(x.asked, n)
	s.resize(x, n)
	s.accept(w, x, s.begin(x), http.StatusOK, s.seen(x).body(x))
}

func (s *Server) deleteInstances(w http.ResponseWriter, r *http.Request, p path) {
	var body struct {
		InstanceIDs []string `json:"instanceIds"`
	}
	if err := json.NewDecoder(r.Body).Decode(&body); err != nil || len(body.InstanceIDs) == 0 {
		refuse(w, http.StatusBadRequest, "InvalidRequestContent", "The request content was invalid: instanceIds is required.")
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	x := s.find(w, p)
	if x == nil {
		return
	}
	for _, id := range body.InstanceIDs {
		if !slices.ContainsFunc(x.instances, func(i *instance) bool { return i.name(x) == id }) {
			refuse(w, http.StatusBadRequest, "InvalidParameter", "The provided instanceId %s is not an active Virtual Machine Scale Set VM instanceId.", id)
			return
		}
	}
	s.remember(x)
	for _, i := range x.instances {
		if slices.Contains(body.InstanceIDs, i.name(x)) && i.goneAt.IsZero() {
			i.goneAt = time.Now().Add(x.Stop)
			x.capacity--
		}
	}
	x.version++
	s.accept(w, x, s.begin(x), http.StatusAccepted, nil)
}

// accept answers with an operation to be followed.
func (s *Server) accept(w http.ResponseWriter, x *set, id string, status int, body any) {
	at := fmt.Sprintf("%s/subscriptions/%s/providers/Microsoft.Compute/locations/westeurope/operations/%s?api-version=%s",
		s.URL(), Subscription, id, ComputeVersion)
	w.Header().Set("Azure-AsyncOperation", at)
	w.Header().Set("Location", at+"&monitor=true")
	if x.PollAfter > 0 {
		w.Header().Set("Retry-After", strconv.Itoa(int(x.PollAfter.Seconds())))
	}
	reply(w, status, body)
}

func (s *Server) operation(w http.ResponseWriter, p path) {
	id := p.child[strings.LastIndex(p.child, "/")+1:]
	s.mu.Lock()
	defer s.mu.Unlock()
	o, ok := s.ops[id]
	if !ok {
		refuse(w, http.StatusNotFound, "NotFound", "The operation %s was not found.", id)
		return
	}
	s.advance(o.set)
	body := map[string]any{"name": id, "startTime": o.started.UTC().Format(time.RFC3339), "status": o.status}
	if o.code != "" {
		body["error"] = errorBody(o.code, o.message, o.details)
	}
	reply(w, http.StatusOK, body)
}
