package azuretest

import (
	"cmp"
	"encoding/json"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/alertscaler/alertscaler/scaler/target/standin"
)

// manage is Azure Resource Manager.
func (s *Server) manage(w http.ResponseWriter, r *http.Request) {
	s.requests = append(s.requests, r.Method+" "+r.URL.Path)
	w.Header().Set("X-Ms-Ratelimit-Remaining-Resource", "Microsoft.Compute/HighCostGet;899")
	token, _ := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	if !time.Now().Before(s.tokens[token]) {
		w.Header().Set("WWW-Authenticate", `Bearer authorization_uri="`+s.URL()+`/`+Tenant+`", error="invalid_token"`)
		standin.Refuse(http.StatusUnauthorized, "InvalidAuthenticationToken", "The access token is invalid.")
	}
	if f := s.faults.For(r.Method, strings.ToLower(r.URL.Path)); f != nil {
		resourceError(w, f)
		return
	}
	p := pathOf(r)
	got := r.URL.Query().Get("api-version")
	standin.Require(got == standin.Either(p.provider == "microsoft.insights", InsightsVersion, ComputeVersion),
		http.StatusBadRequest, "InvalidApiVersionParameter", "The api-version '%s' is invalid.", got)
	standin.Require(p.subscription == Subscription,
		http.StatusNotFound, "SubscriptionNotFound", "The subscription '%s' could not be found.", p.subscription)
	forbidden := s.Forbidden
	if p.name == "" {
		forbidden = forbidden || (p.group == "" && s.ForbidSubscription) || (s.ForbidGroups && p.kind == "virtualmachinescalesets")
	}
	standin.Require(!forbidden,
		http.StatusForbidden, "AuthorizationFailed", "The client does not have authorization to perform action on '%s'.", r.URL.Path)
	s.route(w, r, p)
}

// path is what a request is about, in lower case but for names.
type path struct {
	subscription, group, provider, kind, name, child string
}

var pathRule = regexp.MustCompile(`(?i)^/subscriptions/([^/]*)(?:/resourcegroups/([^/]*))?(?:/providers/([^/]*)(?:/([^/]*)(?:/([^/]*)(?:/(.*))?)?)?)?`)

func pathOf(r *http.Request) path {
	m := pathRule.FindStringSubmatch(r.URL.Path)
	return path{m[1], m[2], strings.ToLower(m[3]), strings.ToLower(m[4]), m[5], strings.ToLower(strings.TrimRight(m[6], "/"))}
}

func (s *Server) route(w http.ResponseWriter, r *http.Request, p path) {
	const sets = "microsoft.compute/virtualmachinescalesets"
	what := r.Method + " " + p.provider + "/" + p.kind
	switch {
	case what == "GET microsoft.insights/autoscalesettings":
		s.page(w, r, s.listSettings(p))
	case what == "GET microsoft.compute/locations":
		reply(w, http.StatusOK, s.operation(p))
	case what == "GET microsoft.compute/virtualmachines":
		s.page(w, r, s.listMachines(r, p))
	case what == "GET "+sets && p.name == "":
		s.page(w, r, s.listSets(p))
	case what == "GET "+sets && p.child == "":
		x := s.find(p)
		reply(w, http.StatusOK, s.seen(x).body(x))
	case what == "GET "+sets && p.child == "virtualmachines":
		x := s.find(p)
		standin.Require(!x.Flexible,
			http.StatusBadRequest, "OperationNotAllowed", "The operation is not supported for a scale set of flexible orchestration.")
		s.page(w, r, x.bodies(r))
	case what == "PATCH "+sets:
		s.patchSet(w, r, p)
	case what == "POST "+sets && p.child == "delete":
		s.deleteInstances(w, r, p)
	default:
		standin.Refuse(http.StatusNotFound, "InvalidResourceType", "The resource type could not be found: %s %s.", r.Method, r.URL.Path)
	}
}

// page answers with one page of a list. The token names what was handed out, so
// that nothing is left out where some of that is gone by the next page.
func (s *Server) page(w http.ResponseWriter, r *http.Request, all []any) {
	q := r.URL.Query()
	told := strings.FieldsFunc(q.Get("$skiptoken"), func(c rune) bool { return c == ',' })
	all = slices.DeleteFunc(all, func(item any) bool { return slices.Contains(told, nameOf(item)) })
	part, next := standin.Page(all, 0, cmp.Or(s.PageSize, 50))
	body := object{"value": append([]any{}, part...)}
	if next > 0 {
		for _, item := range part {
			told = append(told, nameOf(item))
		}
		q.Set("$skiptoken", strings.Join(told, ","))
		body["nextLink"] = s.URL() + r.URL.Path + "?" + q.Encode()
	}
	reply(w, http.StatusOK, body)
}

// nameOf tells the items of a list apart: sets of two groups may have one name.
func nameOf(item any) string {
	m := item.(object)
	return fmt.Sprint(cmp.Or(m["id"], m["name"]))
}

func (s *Server) listSettings(p path) (all []any) {
	for _, x := range s.settings {
		if strings.EqualFold(x.Group, p.group) {
			all = append(all, object{
				"name": x.Name, "type": "Microsoft.Insights/autoscaleSettings", "location": "westeurope",
				"properties": object{"enabled": x.Enabled, "targetResourceUri": x.Target, "profiles": []any{}},
			})
		}
	}
	return all
}

func (s *Server) listSets(p path) (all []any) {
	for _, x := range standin.Sorted(s.sets) {
		if p.group == "" || strings.EqualFold(x.Group, p.group) {
			s.advance(x)
			// Lists have the names of groups in another case.
			m := s.seen(x).body(x)
			m["id"] = strings.Replace(m["id"].(string), "/resourceGroups/"+x.Group, "/resourceGroups/"+strings.ToUpper(x.Group), 1)
			all = append(all, m)
		}
	}
	standin.Require(p.group == "" || len(all) > 0,
		http.StatusNotFound, "ResourceGroupNotFound", "Resource group '%s' could not be found.", p.group)
	return all
}

// find returns a set that is up to date.
func (s *Server) find(p path) *set {
	x, ok := s.sets[key(p.group, p.name)]
	standin.Require(ok, http.StatusNotFound, "ResourceNotFound",
		"The Resource 'Microsoft.Compute/virtualMachineScaleSets/%s' under resource group '%s' was not found.", p.name, p.group)
	s.advance(x)
	return x
}

func (s *Server) listMachines(r *http.Request, p path) (all []any) {
	id, ok := strings.CutPrefix(r.URL.Query().Get("$filter"), "'virtualMachineScaleSet/id' eq '")
	id, closed := strings.CutSuffix(id, "'")
	standin.Require(ok && closed, http.StatusBadRequest, "InvalidParameter", "The $filter is not valid.")
	for _, x := range s.sets {
		if x.Flexible && strings.EqualFold(x.Group, p.group) && strings.EqualFold(x.id(), id) {
			s.advance(x)
			all = x.bodies(r)
		}
	}
	return all
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
	err := dec.Decode(&patch)
	standin.Require(err == nil && patch.SKU.Capacity != nil && *patch.SKU.Capacity >= 0,
		http.StatusBadRequest, "InvalidRequestContent", "The request content was invalid: %v", err)
	x, n := s.find(p), *patch.SKU.Capacity
	m := r.Header.Get("If-Match")
	standin.Require(m == "" || m == "*" || m == x.etag(), http.StatusPreconditionFailed, "PreconditionFailed",
		"The condition set in the request header was not met: %s is not %s.", m, x.etag())
	standin.Require(!x.NoProfile, http.StatusBadRequest, "InvalidParameter", "The scale set has no virtual machine profile.")
	standin.Require(s.Quota == 0 || s.total()-x.capacity+n <= s.Quota, http.StatusConflict, "OperationNotAllowed",
		"Operation could not be completed as it results in exceeding approved standardDSv3Family Cores quota. Current Limit: %d.", s.Quota)
	s.preempt(x)
	x.asked = append(x.asked, n)
	s.resize(x, n)
	s.accept(w, x, s.begin(x), http.StatusOK, s.seen(x).body(x))
}

func (s *Server) deleteInstances(w http.ResponseWriter, r *http.Request, p path) {
	var body struct {
		InstanceIDs []string `json:"instanceIds"`
	}
	standin.Require(standin.Decode(r, &body) && len(body.InstanceIDs) > 0,
		http.StatusBadRequest, "InvalidRequestContent", "The request content was invalid: instanceIds is required.")
	x := s.find(p)
	for _, id := range body.InstanceIDs {
		standin.Require(slices.ContainsFunc(x.instances, func(i *instance) bool { return i.name(x) == id }), http.StatusBadRequest,
			"InvalidParameter", "The provided instanceId %s is not an active Virtual Machine Scale Set VM instanceId.", id)
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

func (s *Server) operation(p path) object {
	id := p.child[strings.LastIndex(p.child, "/")+1:]
	o, ok := s.ops[id]
	standin.Require(ok, http.StatusNotFound, "NotFound", "The operation %s was not found.", id)
	s.advance(o.set)
	body := object{"name": id, "startTime": o.started.UTC().Format(time.RFC3339), "status": o.status}
	body.AddIf(o.Code != "", "error", errorBody(&o.Fault))
	return body
}
