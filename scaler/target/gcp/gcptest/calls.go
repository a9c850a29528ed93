package gcptest

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// groupCall answers what concerns instanceGroupManagers; at is their place, and
// rest what follows in the path.
func (c call) groupCall(at string, rest []string) {
	get := c.r.Method == http.MethodGet
	if len(rest) == 0 && get {
		c.list(at)
		return
	}
	if len(rest) == 0 || len(rest) > 2 || (len(rest) == 2) == get {
		c.notFound(c.r.URL.Path)
		return
	}
	path := at + "/instanceGroupManagers/" + rest[0]
	permission := "compute.instanceGroupManagers.get"
	var answer func(*group)
	switch {
	case get:
		answer = func(g *group) { c.answer(g.describe(c.now, c.Lag)) }
	case rest[1] == "listManagedInstances":
		permission, answer = "compute.instanceGroupManagers.list", c.listManaged
	case rest[1] == "resize":
		permission, answer = "compute.instanceGroupManagers.update", c.resizeGroup
	case rest[1] == "deleteInstances":
		permission, answer = "compute.instanceGroupManagers.update", c.deleteInstances
	default:
		c.notFound(c.r.URL.Path)
		return
	}
	if !c.may(permission, path) {
		return
	}
	g, ok := c.groups[at+"/"+rest[0]]
	if !ok {
		c.notFound("projects/" + path)
		return
	}
	answer(g)
}

// page is a part of the items with these numbers, which rise, as maxResults and
// pageToken say, and the token for what follows. The token is the last number,
// so that nothing is left out where an item is gone by the next page.
func (c call) page(numbers []uint64) (from, to int, next string, ok bool) {
	n := len(numbers)
	size := c.PageSize
	if size == 0 {
		size = 500
	}
	q := c.r.URL.Query()
	if s := q.Get("maxResults"); s != "" {
		asked, err := strconv.Atoi(s)
		if err != nil || asked < 0 || asked > 500 {
			c.invalid("Invalid value for field 'maxResults': '" + s + "'. Values must be within the range of [0, 500]")
			return 0, 0, "", false
		}
		size = min(size, max(asked, 1))
	}
	if token := q.Get("pageToken"); token != "" {
		after, found := strings.CutPrefix(token, "page-after-")
		last, err := strconv.ParseUint(after, 10, 64)
		from, _ = slices.BinarySearch(numbers, last+1)
		if err != nil || !found {
			c.invalid("Invalid value for field 'pageToken': '" + token + "'.")
			return 0, 0, "", false
		}
	}
	to = min(n, from+size)
	if to < n {
		next = "page-after-" + strconv.FormatUint(numbers[to-1], 10)
	}
	return from, to, next, true
}

// places numbers groups, which stay where they are.
func places(in []*group) []uint64 {
	numbers := make([]uint64, len(in))
	for i := range numbers {
		numbers[i] = uint64(i)
	}
	return numbers
}

// paged adds the token to an answer.
func paged(v map[string]any, next string) map[string]any {
	if next != "" {
		v["nextPageToken"] = next
	}
	return v
}

// list answers GET …/instanceGroupManagers.
func (c call) list(at string) {
	if !c.may("compute.instanceGroupManagers.list", at) {
		return
	}
	var in []*group
	for _, key := range slices.Sorted(maps.Keys(c.groups)) {
		if c.groups[key].at() == at {
			in = append(in, c.groups[key])
		}
	}
	from, to, next, ok := c.page(places(in))
	if !ok {
		return
	}
	items := make([]any, 0, to-from)
	for _, g := range in[from:to] {
		items = append(items, g.describe(c.now, c.Lag))
	}
	c.answer(paged(map[string]any{"kind": "compute#instanceGroupManagerList", "id": at, "items": items}, next))
}

// aggregated answers GET …/aggregated/instanceGroupManagers.
func (c call) aggregated(project string) {
	if !c.may("compute.instanceGroupManagers.list", project) {
		return
	}
	var in []*group
	items := map[string]any{}
	for _, key := range slices.Sorted(maps.Keys(c.groups)) {
		g := c.groups[key]
		if g.Project != project {
			continue
		}
		in = append(in, g)
		// Places without a group on this page are there with a warning.
		items[strings.TrimPrefix(g.at(), project+"/")] = map[string]any{"warning": map[string]any{
			"code": "NO_RESULTS_ON_PAGE", "message": "There are no results for scope on this page.",
		}}
	}
	from, to, next, ok := c.page(places(in))
	if !ok {
		return
	}
	for _, g := range in[from:to] {
		where := strings.TrimPrefix(g.at(), project+"/")
		scoped, _ := items[where].(map[string]any)
		list, _ := scoped["instanceGroupManagers"].([]any)
		items[where] = map[string]any{"instanceGroupManagers": append(list, g.describe(c.now, c.Lag))}
	}
	c.answer(paged(map[string]any{"kind": "compute#instanceGroupManagerAggregatedList", "id": project, "items": items}, next))
}

// listManaged answers POST …/listManagedInstances.
func (c call) listManaged(g *group) {
	ids := make([]uint64, len(g.instances))
	for i := range g.instances {
		ids[i] = g.instances[i].id
	}
	from, to, next, ok := c.page(ids)
	if !ok {
		return
	}
	list := make([]any, 0, to-from)
	for place := from; place < to; place++ {
		list = append(list, g.managed(g.instances[place], place, c.now))
	}
	c.answer(paged(map[string]any{"managedInstances": list}, next))
}

// resizeGroup answers POST …/resize.
func (c call) resizeGroup(g *group) {
	n, err := strconv.Atoi(c.r.URL.Query().Get("size"))
	switch {
	case err != nil || n < 0:
		c.invalid(fmt.Sprintf("Invalid value for field 'size': '%s'.", c.r.URL.Query().Get("size")))
	case g.Quota > 0 && n > g.Quota:
		refuse(c.w, http.StatusForbidden, "quotaExceeded", fmt.Sprintf("Quota 'CPUS' exceeded.  Limit: %d.0 in region %s.", g.Quota, g.Region), "", nil)
	default:
		c.accept(g, "compute.instanceGroupManagers.resize", func(now time.Time) *opError {
			g.asked = append(g.asked, n)
			c.resize(g, n, now)
			return nil
		})
	}
}

// deleteInstances answers POST …/deleteInstances. One that is not the group's,
// or is going already, fails the operation.
func (c call) deleteInstances(g *group) {
	var req struct {
		Instances                      []string `json:"instances"`
		SkipInstancesOnValidationError bool     `json:"skipInstancesOnValidationError"`
	}
	if err := json.NewDecoder(c.r.Body).Decode(&req); err != nil || len(req.Instances) == 0 || len(req.Instances) > 1000 {
		c.invalid("Invalid value for field 'instances': ''. Must have between 1 and 1000 elements.")
		return
	}
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
		g.sizes = append(g.sizes, sized{max(0, g.size()-len(found)), now})
		return nil
	})
}

// operation is one that was accepted.
type operation struct {
	name, kind, at, target, user, requestID string
	began, due                              time.Time
	carryOut                                func()
	err                                     *opError
}

// opError is why an operation failed.
type opError struct {
	code, message string
	status        int
}

type opFault struct{ code, message string }

// FailNextOperation has the next operation fail that is accepted, with a code.
func (s *Server) FailNextOperation(code, message string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.opFaults = append(s.opFaults, opFault{code, message})
}

// requestIDRule is a version 4 UUID.
var requestIDRule = regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`)

// accept answers with an operation that does something at its end. A request
// with the ID of an earlier one is that one.
func (c call) accept(g *group, kind string, do func(now time.Time) *opError) {
	id := c.r.URL.Query().Get("requestId")
	if id != "" && !requestIDRule.MatchString(id) {
		c.invalid("Invalid value for field 'requestId': '" + id + "'. Must be a UUID.")
		return
	}
	if o, ok := c.requestIDs[id]; ok && id != "" {
		c.answer(o.describe(c.now))
		return
	}
	c.serial++
	o := &operation{
		name: fmt.Sprintf("operation-%d-%06x", c.now.UnixMilli(), c.serial), kind: kind, at: g.at(), user: c.email, requestID: id,
		target: g.at() + "/instanceGroupManagers/" + g.Name, began: c.now, due: c.now.Add(c.OperationTime),
	}
	var fault *opFault
	if len(c.opFaults) > 0 {
		fault, c.opFaults = &c.opFaults[0], c.opFaults[1:]
	}
	o.carryOut = func() {
		if fault != nil {
			o.err = &opError{fault.code, fault.message, 503}
			return
		}
		o.err = do(o.due)
	}
	if c.operations == nil {
		c.operations, c.requestIDs = make(map[string]*operation), make(map[string]*operation)
	}
	c.operations[o.at+"/"+o.name] = o
	if id != "" {
		c.requestIDs[id] = o
	}
	c.order = append(c.order, o)
	c.answer(o.describe(c.now))
}

// describe is the resource.
func (o *operation) describe(now time.Time) map[string]any {
	out := map[string]any{
		"kind": "compute#operation", "id": "1", "name": o.name, "operationType": o.kind, "user": o.user,
		"targetLink": link(o.target), "selfLink": link(o.at + "/operations/" + o.name),
		"insertTime": o.began.Format(time.RFC3339Nano), "status": "PENDING", "progress": 0,
	}
	if o.requestID != "" {
		out["clientOperationId"] = o.requestID
	}
	third := o.due.Sub(o.began) / 3
	switch {
	case !now.Before(o.due) && now.After(o.began):
		out["status"], out["progress"], out["endTime"] = "DONE", 100, o.due.Format(time.RFC3339Nano)
		if o.err != nil {
			out["error"] = map[string]any{"errors": []any{map[string]any{"code": o.err.code, "message": o.err.message}}}
			out["httpErrorStatusCode"], out["httpErrorMessage"] = o.err.status, http.StatusText(o.err.status)
		}
	case now.Sub(o.began) >= third:
		out["status"] = "RUNNING"
	}
	return out
}

// operation answers GET …/operations/NAME.
func (c call) operation(at, name string) {
	permission := "compute.zoneOperations.get"
	if strings.Contains(at, "/regions/") {
		permission = "compute.regionOperations.get"
	}
	path := at + "/operations/" + name
	if !c.may(permission, path) {
		return
	}
	o, ok := c.operations[at+"/"+name]
	if !ok {
		c.notFound("projects/" + path)
		return
	}
	c.answer(o.describe(c.now))
}
