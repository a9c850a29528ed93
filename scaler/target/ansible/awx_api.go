package ansible

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/alertscaler/alertscaler/scaler/outgoing"
	"github.com/alertscaler/alertscaler/scaler/program"
	"github.com/alertscaler/alertscaler/scaler/target"
	"github.com/alertscaler/alertscaler/scaler/target/share"
)

// maxAnswer bounds what is read of one answer of a controller.
const maxAnswer = 4 << 20

// call makes one request and decodes its answer into out. path is below the
// root and ends with a slash, as all of the API's do.
func (c *controller) call(ctx context.Context, op, method, path string, query url.Values, in, out any) error {
	var body io.Reader = http.NoBody
	if in != nil {
		encoded, err := json.Marshal(in)
		if err != nil {
			return target.Errorf(target.KindPermanent, op, "encode the request: %w", err)
		}
		body = bytes.NewReader(encoded)
	}
	address := strings.TrimSuffix(c.root+path+"?"+query.Encode(), "?")
	req, err := http.NewRequestWithContext(ctx, method, address, body)
	if err != nil {
		return target.Errorf(target.KindPermanent, op, "%w", err)
	}
	req.Header.Set("Accept", "application/json")
	req.Header.Set("User-Agent", "alertscaler")
	if in != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	resp, err := c.client.Do(req)
	if err != nil {
		if redirected, ok := errors.AsType[*outgoing.RedirectError](err); ok {
			return target.Errorf(target.KindPermanent, op, "%s %s: %w", method, path, redirected)
		}
		return failure(op, err)
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	if err != nil {
		return failure(op, fmt.Errorf("%s %s: read the answer: %w", method, path, err))
	}
	if resp.StatusCode/100 != 2 {
		return &target.Error{
			Kind: share.StatusKind(resp.StatusCode), Op: op, RetryAfter: share.RetryAfter(resp.Header, time.Now()),
			Err: fmt.Errorf("%s %s: %w", method, path, &statusError{resp.StatusCode, answer}),
		}
	}
	if out == nil {
		return nil
	}
	if err := json.Unmarshal(answer, out); err != nil {
		return target.Errorf(target.KindTemporary, op, "%s %s: it answered %d and no JSON of the API: %w: %q", method, path, resp.StatusCode, err, program.Excerpt(answer))
	}
	return nil
}

// statusError is an answer other than 2xx.
type statusError struct {
	code int
	body []byte
}

// Error renders the controller's own word where there is one.
func (e *statusError) Error() string {
	var known struct {
		Detail string `json:"detail"`
		Error  string `json:"error"`
	}
	s := fmt.Sprintf("it answered %d", e.code)
	if json.Unmarshal(e.body, &known) == nil && known.Detail+known.Error != "" {
		return s + ": " + known.Detail + known.Error
	}
	if body := program.Excerpt(e.body); body != "" {
		return s + ": " + body
	}
	return s + ": " + http.StatusText(e.code)
}

// page is the beginning of a list.
type page[T any] struct {
	Count   *int
	Results []T
}

// find returns the id of the one thing that has the name, which may be the id.
func (c *controller) find(ctx context.Context, op, list, what, name string, more url.Values) (int, error) {
	if id, err := strconv.Atoi(name); err == nil {
		return id, nil
	}
	query := url.Values{"name": {name}, "page_size": {"2"}}
	maps.Copy(query, more)
	var named page[struct{ ID int }]
	if err := c.call(ctx, op, http.MethodGet, list, query, nil, &named); err != nil {
		return 0, err
	}
	switch {
	case len(named.Results) == 0:
		return 0, target.Errorf(target.KindNotFound, op, "there is no %s %q, or none that these credentials may see", what, name)
	case named.Count != nil && *named.Count > 1:
		return 0, target.Errorf(target.KindPermanent, op, "there are %d %ss of the name %q; give the id", *named.Count, what, name)
	}
	return named.Results[0].ID, nil
}

// hosts counts the hosts of a group of an inventory. Disabled ones are none: no
// job would touch them.
func (c *controller) hosts(ctx context.Context, op, inventory, group string) (int, error) {
	inventoryID, err := c.find(ctx, op, "inventories/", "inventory", inventory, nil)
	if err != nil {
		return 0, err
	}
	groupID, err := c.find(ctx, op, "groups/", "group", group, url.Values{"inventory": {strconv.Itoa(inventoryID)}})
	if err != nil {
		return 0, err
	}
	var hosts page[struct{}]
	path := fmt.Sprintf("groups/%d/all_hosts/", groupID)
	if err := c.call(ctx, op, http.MethodGet, path, url.Values{"enabled": {"true"}, "page_size": {"1"}}, nil, &hosts); err != nil {
		return 0, err
	}
	if hosts.Count == nil {
		return 0, target.Errorf(target.KindTemporary, op, "GET %s: the answer has no count", path)
	}
	return *hosts.Count, nil
}

// underWay are the states of a job that has not ended.
var underWay = []string{"new", "pending", "waiting", "running"}

// job is a run of a job template, as the API describes it.
type job struct {
	ID          int       `json:"id"`
	Status      string    `json:"status"`
	Explanation string    `json:"job_explanation"`
	Created     time.Time `json:"created"`
	ExtraVars   string    `json:"extra_vars"`
}

// launch launches the template and returns the job's id.
//
// A template that does not prompt for variables is launched by the controller
// all the same, without them. So it is looked at first, and what it ignored
// after that.
func (c *controller) launch(ctx context.Context, op string, template int, vars map[string]any) (int, error) {
	path := fmt.Sprintf("job_templates/%d/launch/", template)
	var needs struct {
		AskVariables bool     `json:"ask_variables_on_launch"`
		Survey       bool     `json:"survey_enabled"`
		Passwords    []string `json:"passwords_needed_to_start"`
		Inventory    bool     `json:"inventory_needed_to_start"`
	}
	if err := c.call(ctx, op, http.MethodGet, path, nil, nil, &needs); err != nil {
		return 0, err
	}
	switch {
	case !needs.AskVariables && !needs.Survey:
		return 0, target.Errorf(target.KindPermanent, op, "job template %d does not take variables: enable prompt on launch for its variables", template)
	case len(needs.Passwords) > 0:
		return 0, target.Errorf(target.KindPermanent, op, "job template %d asks for passwords (%s): store them in its credentials", template, strings.Join(needs.Passwords, ", "))
	case needs.Inventory:
		return 0, target.Errorf(target.KindPermanent, op, "job template %d asks for an inventory: set one", template)
	}
	var launched struct {
		ID      int                        `json:"id"`
		Job     int                        `json:"job"`
		Ignored map[string]json.RawMessage `json:"ignored_fields"`
	}
	if err := c.call(ctx, op, http.MethodPost, path, nil, map[string]any{"extra_vars": vars}, &launched); err != nil {
		return 0, refusedLaunch(op, template, err)
	}
	id := max(launched.Job, launched.ID)
	if id == 0 {
		return 0, target.Errorf(target.KindTemporary, op, "POST %s: the answer has no job", path)
	}
	if ignored := string(launched.Ignored["extra_vars"]); strings.Contains(ignored, reserved+"desired_replicas") {
		// It is under way without knowing to which count.
		canceled := "was canceled"
		if err := c.call(ctx, op, http.MethodPost, fmt.Sprintf("jobs/%d/cancel/", id), nil, struct{}{}, nil); err != nil {
			canceled += ", which did not work: " + err.Error()
		}
		return 0, target.Errorf(target.KindPermanent, op, "job template %d ignores %sdesired_replicas: enable prompt on launch for its variables; job %d %s", template, reserved, id, canceled)
	}
	return id, nil
}

// refusedLaunch says what to do about a launch refused for its variables.
func refusedLaunch(op string, template int, err error) error {
	status, ok := errors.AsType[*statusError](err)
	if !ok || status.code != http.StatusBadRequest {
		return err
	}
	var why struct {
		Needed json.RawMessage `json:"variables_needed_to_start"`
		Vars   json.RawMessage `json:"extra_vars"`
	}
	_ = json.Unmarshal(status.body, &why) // else it says nothing of these
	switch {
	case len(why.Needed) > 0:
		return target.Errorf(target.KindPermanent, op, "job template %d needs variables: add them to extra_vars, or enable prompt on launch and make them optional in its survey: %w", template, err)
	case len(why.Vars) > 0:
		return target.Errorf(target.KindPermanent, op, "job template %d does not take the variables: enable prompt on launch for its variables: %w", template, err)
	}
	return err
}

// active returns the newest job of a template that has not ended and that was
// launched for this target, by a server before this one or by a call whose
// answer was lost; nil where there is none.
func (c *controller) active(ctx context.Context, op string, template int, o target.Options) (j *job, desired int, err error) {
	var jobs page[job]
	query := url.Values{"status__in": {strings.Join(underWay, ",")}, "order_by": {"-id"}, "page_size": {"100"}}
	if err := c.call(ctx, op, http.MethodGet, fmt.Sprintf("job_templates/%d/jobs/", template), query, nil, &jobs); err != nil {
		return nil, 0, err
	}
	for _, j := range jobs.Results {
		var vars struct {
			Policy  string `json:"alertscaler_policy"`
			Target  string `json:"alertscaler_target"`
			Desired *int   `json:"alertscaler_desired_replicas"`
		}
		// Variables that others gave may be no JSON.
		err := json.Unmarshal([]byte(j.ExtraVars), &vars)
		if err == nil && vars.Policy == o.Policy && vars.Target == o.Name && vars.Desired != nil && slices.Contains(underWay, j.Status) {
			return &j, *vars.Desired, nil
		}
	}
	return nil, 0, nil
}

// outcome is how a job ended, as an error of a kind; done is false until it has.
func (c *controller) outcome(ctx context.Context, op string, j *job) (done bool, err error) {
	switch {
	case slices.Contains(underWay, j.Status):
		return false, nil
	case j.Status == "successful":
		return true, nil
	}
	why := j.Explanation
	if why == "" {
		why = c.firstFailure(ctx, op, j.ID)
	}
	return true, target.Errorf(target.KindTemporary, op, "job %d is %s: %s", j.ID, j.Status, why)
}

// firstFailure is what the first failed task of a job printed.
func (c *controller) firstFailure(ctx context.Context, op string, id int) string {
	var events page[struct{ Stdout string }]
	query := url.Values{"event__in": {"runner_on_failed,runner_on_unreachable"}, "order_by": {"counter"}, "page_size": {"1"}}
	err := c.call(ctx, op, http.MethodGet, fmt.Sprintf("jobs/%d/job_events/", id), query, nil, &events)
	switch {
	case err != nil:
		return "its events cannot be read: " + err.Error()
	case len(events.Results) == 0 || events.Results[0].Stdout == "":
		return "no task of it says why"
	}
	printed := program.NewOutput(maxErrorOutput)
	_, _ = printed.Write([]byte(events.Results[0].Stdout))
	return printed.String()
}
