package gcptest

import (
	"encoding/json"
	"maps"
	"net/http"
	"strings"
)

// statusNames are what google.rpc calls HTTP statuses.
var statusNames = map[int]string{
	400: "INVALID_ARGUMENT", 401: "UNAUTHENTICATED", 403: "PERMISSION_DENIED", 404: "NOT_FOUND", 409: "ABORTED",
	429: "RESOURCE_EXHAUSTED", 500: "INTERNAL", 503: "UNAVAILABLE",
}

// refuse answers with an error as the API's are.
func refuse(w http.ResponseWriter, status int, reason, message, retryAfter string, details []any) {
	item := map[string]any{"message": message, "domain": "global", "reason": reason}
	if status == http.StatusUnauthorized {
		item["location"], item["locationType"] = "Authorization", "header"
		w.Header().Set("WWW-Authenticate", `Bearer realm="https://accounts.google.com/", error="invalid_token"`)
	}
	body := map[string]any{"code": status, "message": message, "errors": []any{item}}
	if name := statusNames[status]; name != "" && details != nil {
		body["status"], body["details"] = name, details
	}
	if retryAfter != "" {
		w.Header().Set("Retry-After", retryAfter)
	}
	w.Header().Set("Content-Type", "application/json; charset=UTF-8")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(map[string]any{"error": body})
}

// answer answers with what was asked for of v.
func (c call) answer(v map[string]any) {
	if mask := c.r.URL.Query().Get("fields"); mask != "" {
		m, err := parseMask(mask)
		if err == "" {
			err = m.unknown()
		}
		if err != "" {
			refuse(c.w, http.StatusBadRequest, "invalidParameter", "Invalid field selection "+err, "", nil)
			return
		}
		v, _ = m.pick(v).(map[string]any)
	}
	c.w.Header().Set("Content-Type", "application/json; charset=UTF-8")
	_ = json.NewEncoder(c.w).Encode(v)
}

// mask is a parsed parameter fields: names, with what is asked for of each; nil:
// everything.
type mask map[string]mask

// parseMask parses a(b,c/d),e. It returns what is wrong with it, empty if
// nothing is.
func parseMask(s string) (mask, string) {
	m, rest, err := parseList(s)
	if err == "" && rest != "" {
		err = rest
	}
	return m, err
}

func parseList(s string) (m mask, rest, err string) {
	m = mask{}
	for {
		item, rest, err := parseItem(s)
		if err != "" {
			return nil, "", err
		}
		maps.Copy(m, item)
		if !strings.HasPrefix(rest, ",") {
			return m, rest, ""
		}
		s = rest[1:]
	}
}

// parseItem parses one path: b, b/c or b(c,d). One of a/b takes the rest up to
// the next comma on this level.
func parseItem(s string) (m mask, rest, err string) {
	end := strings.IndexAny(s, ",()/")
	if end < 0 {
		end = len(s)
	}
	name, s := s[:end], s[end:]
	if name == "" {
		return nil, "", s + " (no name)"
	}
	var sub mask
	switch {
	case strings.HasPrefix(s, "/"):
		sub, s, err = parseItem(s[1:])
	case strings.HasPrefix(s, "("):
		if sub, s, err = parseList(s[1:]); err == "" {
			var closed bool
			if s, closed = strings.CutPrefix(s, ")"); !closed {
				err = s + " (no closing parenthesis)"
			}
		}
	}
	return mask{name: sub}, s, err
}

// model is every name that the resources served here have, whether or not they
// are there at the moment. It is not told apart by where they may be.
var model = map[string]bool{
	"*": true, "abandoning": true, "action": true, "allInstancesConfig": true, "autoHealingPolicies": true, "autoscaler": true,
	"autoscalingPolicy": true, "baseInstanceName": true, "code": true, "creating": true, "creatingWithoutRetries": true,
	"currentAction": true, "currentActions": true, "deleting": true, "detailedHealthState": true, "endTime": true,
	"error": true, "errors": true, "fingerprint": true, "healthCheck": true, "httpErrorMessage": true,
	"httpErrorStatusCode": true, "id": true, "initialDelaySec": true, "insertTime": true, "instance": true,
	"instanceGroup": true, "instanceGroupManagers": true, "instanceHealth": true, "instanceStatus": true,
	"instanceTemplate": true, "isStable": true, "items": true, "kind": true, "labels": true, "lastAttempt": true,
	"managedInstances": true, "message": true, "metadata": true, "mode": true, "name": true, "nextPageToken": true,
	"none": true, "operationType": true, "progress": true, "properties": true, "recreating": true, "refreshing": true,
	"region": true, "restarting": true, "resuming": true, "selfLink": true, "starting": true, "startTime": true,
	"status": true, "stopping": true, "suspending": true, "targetLink": true, "targetSize": true,
	"targetStoppedSize": true, "targetSuspendedSize": true, "user": true, "verifying": true, "version": true,
	"warning": true, "zone": true,
}

// unknown is a name that nothing has, or empty.
func (m mask) unknown() string {
	for name, sub := range m {
		if !model[name] {
			return name
		}
		if u := sub.unknown(); u != "" {
			return u
		}
	}
	return ""
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
	case map[string]any:
		out := map[string]any{}
		for name, e := range v {
			if sub, ok := m[name]; ok {
				out[name] = sub.pick(e)
			} else if sub, ok := m["*"]; ok {
				out[name] = sub.pick(e)
			}
		}
		return out
	default:
		return v
	}
}
