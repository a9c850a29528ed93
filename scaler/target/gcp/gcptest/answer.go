package gcptest

import (
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/alertscaler/alertscaler/scaler/target/standin"
)

type object = standin.Object

const contentType = "application/json; charset=UTF-8"

// statusNames are what google.rpc calls HTTP statuses.
var statusNames = map[int]string{
	400: "INVALID_ARGUMENT", 401: "UNAUTHENTICATED", 403: "PERMISSION_DENIED", 404: "NOT_FOUND", 409: "ABORTED",
	429: "RESOURCE_EXHAUSTED", 500: "INTERNAL", 503: "UNAVAILABLE",
}

// refuse answers with an error as the API's are.
func (f *Fault) refuse(w http.ResponseWriter) {
	item := object{"message": f.Message, "domain": "global", "reason": f.Reason}
	if f.Status == http.StatusUnauthorized {
		item["location"], item["locationType"] = "Authorization", "header"
		w.Header().Set("WWW-Authenticate", `Bearer realm="https://accounts.google.com/", error="invalid_token"`)
	}
	body := object{"code": f.Status, "message": f.Message, "errors": []any{item}}
	if name := statusNames[f.Status]; name != "" && f.Details != nil {
		body["status"], body["details"] = name, f.Details
	}
	if f.RetryAfter != "" {
		w.Header().Set("Retry-After", f.RetryAfter)
	}
	standin.JSON(w, f.Status, contentType, object{"error": body})
}

// answer answers with what was asked for of v.
func (c call) answer(v object) {
	if fields := c.r.URL.Query().Get("fields"); fields != "" {
		m, rest := parseMask(fields)
		selectable(rest == "", rest)
		m.check()
		v, _ = m.pick(v).(object)
	}
	standin.JSON(c.w, http.StatusOK, contentType, v)
}

// mask is a parsed parameter fields: names, with what is asked for of each; nil:
// everything.
type mask map[string]mask

// selectable refuses a mask for what is wrong with it.
func selectable(ok bool, wrong string) {
	standin.Require(ok, http.StatusBadRequest, "invalidParameter", "Invalid field selection %s", wrong)
}

// parseMask parses a(b,c/d),e up to where this list ends.
func parseMask(s string) (m mask, rest string) {
	m = mask{}
	for more := true; more; {
		var item mask
		item, rest = parseItem(s)
		maps.Copy(m, item)
		s, more = strings.CutPrefix(rest, ",")
	}
	return m, rest
}

// parseItem parses one path: b, b/c or b(c,d). One of a/b takes the rest up to
// the next comma on this level.
func parseItem(s string) (m mask, rest string) {
	end := strings.IndexAny(s+",", ",()/")
	name, rest := s[:end], s[end:]
	selectable(name != "", rest+" (no name)")
	var sub mask
	switch {
	case strings.HasPrefix(rest, "/"):
		sub, rest = parseItem(rest[1:])
	case strings.HasPrefix(rest, "("):
		sub, rest = parseMask(rest[1:])
		selectable(strings.HasPrefix(rest, ")"), rest+" (no closing parenthesis)")
		rest = rest[1:]
	}
	return mask{name: sub}, rest
}

// model is every name that the resources served here have, whether or not they
// are there at the moment. It is not told apart by where they may be.
var model = strings.Fields(`
	* abandoning action allInstancesConfig autoHealingPolicies autoscaler autoscalingPolicy baseInstanceName code
	creating creatingWithoutRetries currentAction currentActions deleting detailedHealthState endTime error errors
	fingerprint healthCheck httpErrorMessage httpErrorStatusCode id initialDelaySec insertTime instance instanceGroup
	instanceGroupManagers instanceHealth instanceStatus instanceTemplate isStable items kind labels lastAttempt
	managedInstances message metadata mode name nextPageToken none operationType progress properties recreating
	refreshing region restarting resuming selfLink starting startTime status stopping suspending targetLink targetSize
	targetStoppedSize targetSuspendedSize user verifying version warning zone`)

// check refuses a name that nothing has.
func (m mask) check() {
	for name, sub := range m {
		selectable(slices.Contains(model, name), name)
		sub.check()
	}
}

// pick returns what the mask lets through.
func (m mask) pick(v any) any {
	if m == nil {
		return v
	}
	switch v := v.(type) {
	case []any:
		out := make([]any, 0, len(v))
		for _, e := range v {
			out = append(out, m.pick(e))
		}
		return out
	case object:
		out := object{}
		for name, e := range v {
			sub, ok := m[name]
			if !ok {
				sub, ok = m["*"]
			}
			out.AddIf(ok, name, sub.pick(e))
		}
		return out
	default:
		return v
	}
}
