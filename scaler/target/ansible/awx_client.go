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

// find returns the id of the one thing that has the name; one that is a number
// is the id itself.
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
