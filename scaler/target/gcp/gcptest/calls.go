package gcptest

import (
	"cmp"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"sort"
	"strconv"
	"strings"
	"time"

	"github.com/alertscaler/alertscaler/scaler/target/standin"
)

// managers are what groups are called in paths and permissions.
const managers = "instanceGroupManagers"

// route answers a call.
func (c call) route() {
	p := strings.Split(strings.TrimPrefix(c.r.URL.Path, "/compute/v1/projects/"), "/")
	method := http.MethodPost
	if c.r.Method == http.MethodGet {
		method = http.MethodGet
	}
	if len(p) == 3 && p[1] == "aggregated" && p[2] == managers && method == http.MethodGet {
		c.aggregated(p[0])
		return
	}
	c.found(len(p) >= 4 && (p[1] == "zones" || p[1] == "regions"), c.r.URL.Path)
	at := strings.Join(p[:3], "/")
	name, verb, _ := strings.Cut(strings.Join(p[4:], "/"), "/")
	switch what := method + " " + p[3] + "/" + verb; {
	case what == "GET "+managers+"/" && len(p) == 4:
		c.list(at)
	case what == "GET "+managers+"/":
		c.answer(c.group(at, name, "get").describe(c.now, c.Lag))
	case what == "POST "+managers+"/listManagedInstances":
		c.listManaged(c.group(at, name, "list"))
	case what == "POST "+managers+"/resize":
		c.resizeGroup(c.group(at, name, "update"))
	case what == "POST "+managers+"/deleteInstances":
		c.deleteInstances(c.group(at, name, "update"))
	case what == "GET operations/" && len(p) == 5:
		c.operation(at, name)
	case what == "GET autoscalers/" && len(p) == 5:
		c.autoscaler(strings.Join(p, "/"), name)
	default:
		c.found(false, c.r.URL.Path)
	}
}

// group is one that the caller may do something to.
func (c call) group(at, name, do string) *group {
	path := at + "/" + managers + "/" + name
	c.may("compute."+managers+"."+do, path)
	g, ok := c.groups[at+"/"+name]
	c.found(ok, "projects/"+path)
	return g
}

// page is the part of n things that maxResults and pageToken ask for; it adds
// the token for what follows to an answer. Their numbers rise, and the token is
// the last one, so that nothing is left out where something is gone by the next
// page.
func (c call) page(out object, n int, number func(int) uint64) (from, to int) {
	size, q := cmp.Or(c.PageSize, 500), c.r.URL.Query()
	if s := q.Get("maxResults"); s != "" {
		asked, err := strconv.Atoi(s)
		valid(err == nil && asked >= 0 && asked <= 500, "maxResults", s, " Values must be within the range of [0, 500]")
		size = min(size, max(asked, 1))
	}
	if token := q.Get("pageToken"); token != "" {
		after, found := strings.CutPrefix(token, "page-after-")
		last, err := strconv.ParseUint(after, 10, 64)
		valid(err == nil && found, "pageToken", token, "")
		from = sort.Search(n, func(i int) bool { return number(i) > last })
	}
	to = min(n, from+size)
	if to < n {
		out["nextPageToken"] = "page-after-" + strconv.FormatUint(number(to-1), 10)
	}
	return from, to
}

// place numbers groups, which stay where they are.
func place(i int) uint64 { return uint64(i) }

// list answers GET …/instanceGroupManagers.
func (c call) list(at string) {
	c.may("compute."+managers+".list", at)
	all := []any{}
	for _, g := range standin.Sorted(c.groups) {
		if g.at() == at {
			all = append(all, g.describe(c.now, c.Lag))
		}
	}
	out := object{"kind": "compute#instanceGroupManagerList", "id": at}
	from, to := c.page(out, len(all), place)
	out["items"] = all[from:to]
	c.answer(out)
}

// aggregated answers GET …/aggregated/instanceGroupManagers.
func (c call) aggregated(project string) {
	c.may("compute."+managers+".list", project)
	var in []*group
	items := object{}
	for _, g := range standin.Sorted(c.groups) {
		if g.Project == project {
			in = append(in, g)
			// Places without a group on this page are there with a warning.
			items[strings.TrimPrefix(g.at(), project+"/")] = object{"warning": object{
				"code": "NO_RESULTS_ON_PAGE", "message": "There are no results for scope on this page.",
			}}
		}
	}
	out := object{"kind": "compute#instanceGroupManagerAggregatedList", "id": project, "items": items}
	from, to := c.page(out, len(in), place)
	for _, g := range in[from:to] {
		where := strings.TrimPrefix(g.at(), project+"/")
		list, _ := items[where].(object)[managers].([]any)
		items[where] = object{managers: append(list, g.describe(c.now, c.Lag))}
	}
	c.answer(out)
}

// listManaged answers POST …/listManagedInstances.
func (c call) listManaged(g *group) {
	out, list := object{}, []any{}
	from, to := c.page(out, len(g.instances), func(i int) uint64 { return g.instances[i].id })
	for at := from; at < to; at++ {
		list = append(list, g.managed(g.instances[at], at, c.now))
	}
	out["managedInstances"] = list
	c.answer(out)
}

// resizeGroup answers POST …/resize.
func (c call) resizeGroup(g *group) {
	size := c.r.URL.Query().Get("size")
	n, err := strconv.Atoi(size)
	valid(err == nil && n >= 0, "size", size, "")
	standin.Require(g.Quota == 0 || n <= g.Quota, http.StatusForbidden, "quotaExceeded",
		"Quota 'CPUS' exceeded.  Limit: %d.0 in region %s.", g.Quota, g.Region)
	c.accept(g, "compute.instanceGroupManagers.resize", func(now time.Time) *opError {
		g.asked = append(g.asked, n)
		c.resize(g, n, now)
		return nil
	})
}

// deleteInstances answers POST …/deleteInstances. One that is not the group's,
// or is going already, fails the operation.
func (c call) deleteInstances(g *group) {
	var req struct {
		Instances                      []string `json:"instances"`
		SkipInstancesOnValidationError bool     `json:"skipInstancesOnValidationError"`
	}
	valid(standin.Decode(c.r, &req) && len(req.Instances) > 0 && len(req.Instances) <= 1000,
		"instances", "", " Must have between 1 and 1000 elements.")
	c.accept(g, "compute.instanceGroupManagers.deleteInstances", func(now time.Time) *opError {
		var found []*instance
		for _, url := range req.Instances {
			i := slices.IndexFunc(g.instances, func(i *instance) bool {
				full := i.url(g)
				return i.deleting.IsZero() && (url == full || url == i.name || strings.HasSuffix(full, "/"+url))
			})
			switch {
			case i >= 0:
				found = append(found, g.instances[i])
			case !req.SkipInstancesOnValidationError:
				return &opError{"RESOURCE_NOT_FOUND", "Instance '" + url + "' is not a member of the group or is being deleted.", 404}
			}
		}
		for _, i := range found {
			i.deleting = now
		}
		g.sizes.Set(max(0, g.sizes.Last()-len(found)), now)
		return nil
	})
}

// operation is one that was accepted.
type operation struct {
	name, kind, at, target, user, requestID string
	began, due                              time.Time
	do                                      func(now time.Time) *opError
	err                                     *opError
}

// opError is why an operation failed.
type opError struct {
	code, message string
	status        int
}

// FailNextOperation has the next operation fail that is accepted, with a code.
func (s *Server) FailNextOperation(code, message string) {
	s.state.Do(func() { s.opFaults = append(s.opFaults, &opError{code, message, 503}) })
}

// requestIDRule is a version 4 UUID.
var requestIDRule = regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`)

// accept answers with an operation that does something at its end. A request
// with the ID of an earlier one is that one.
func (c call) accept(g *group, kind string, do func(now time.Time) *opError) {
	id := c.r.URL.Query().Get("requestId")
	valid(id == "" || requestIDRule.MatchString(id), "requestId", id, " Must be a UUID.")
	o, ok := c.requestIDs[id]
	if !ok || id == "" {
		o = c.begin(g, kind, do)
		o.requestID = id
		c.requestIDs = standin.Put(c.requestIDs, id, o)
	}
	c.answer(o.describe(c.now))
}

func (c call) begin(g *group, kind string, do func(now time.Time) *opError) *operation {
	c.serial++
	o := &operation{
		name: fmt.Sprintf("operation-%d-%06x", c.now.UnixMilli(), c.serial), kind: kind, at: g.at(), user: c.email,
		target: g.at() + "/" + managers + "/" + g.Name, began: c.now, due: c.now.Add(c.OperationTime), do: do,
	}
	if len(c.opFaults) > 0 {
		fault := c.opFaults[0]
		c.opFaults = c.opFaults[1:]
		o.do = func(time.Time) *opError { return fault }
	}
	c.operations = standin.Put(c.operations, o.at+"/"+o.name, o)
	c.order = append(c.order, o)
	return o
}

// describe is the resource.
func (o *operation) describe(now time.Time) object {
	out := object{
		"kind": "compute#operation", "id": "1", "name": o.name, "operationType": o.kind, "user": o.user,
		"targetLink": link(o.target), "selfLink": link(o.at + "/operations/" + o.name),
		"insertTime": o.began.Format(time.RFC3339Nano), "status": "PENDING", "progress": 0,
	}
	out.AddIf(o.requestID != "", "clientOperationId", o.requestID)
	third := o.due.Sub(o.began) / 3
	switch {
	case !now.Before(o.due) && now.After(o.began):
		out["status"], out["progress"], out["endTime"] = "DONE", 100, o.due.Format(time.RFC3339Nano)
		if o.err != nil {
			out["error"] = object{"errors": []any{object{"code": o.err.code, "message": o.err.message}}}
			out["httpErrorStatusCode"], out["httpErrorMessage"] = o.err.status, http.StatusText(o.err.status)
		}
	case now.Sub(o.began) >= third:
		out["status"] = "RUNNING"
	}
	return out
}

// operation answers GET …/operations/NAME.
func (c call) operation(at, name string) {
	path := at + "/operations/" + name
	c.may("compute."+standin.Either(strings.Contains(at, "/regions/"), "region", "zone")+"Operations.get", path)
	o, ok := c.operations[at+"/"+name]
	c.found(ok, "projects/"+path)
	c.answer(o.describe(c.now))
}
