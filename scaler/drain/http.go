package drain

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// maxAnswer is how much of an answer's body is read, for the error.
const maxAnswer = 512

// httpHook is a POST of the request as JSON. 202 says that the replica is
// still at work, any other 2xx that it is done.
type httpHook struct {
	url    string
	client *http.Client
}

// body is what is posted.
type body struct {
	Action      Action    `json:"action"`
	Policy      string    `json:"policy"`
	Target      string    `json:"target"`
	ScaleTarget string    `json:"scale_target"`
	Replica     string    `json:"replica"`
	Name        string    `json:"name"`
	Address     string    `json:"address,omitempty"`
	Deadline    time.Time `json:"deadline"`
}

func (h *httpHook) call(ctx context.Context, r Request) (again time.Duration, err error) {
	if needsAddress(h.url) && r.Replica.Address == "" {
		return 0, fmt.Errorf("the address of %s is not known, and the hook's URL needs it", r.Replica.Name)
	}
	encoded, err := json.Marshal(body{
		Action: r.Action, Policy: r.Policy, Target: r.Target, ScaleTarget: r.ScaleTarget,
		Replica: r.Replica.ID, Name: r.Replica.Name, Address: r.Replica.Address, Deadline: r.Deadline.UTC(),
	})
	if err != nil {
		return 0, err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, r.expand(h.url, url.PathEscape), bytes.NewReader(encoded))
	if err != nil {
		return 0, err
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("User-Agent", "alertscaler")
	res, err := h.client.Do(req)
	if err != nil {
		// Its text repeats the URL, and a token may be in that.
		if e, ok := errors.AsType[*url.Error](err); ok {
			err = e.Err
		}
		return 0, fmt.Errorf("call the hook at %s: %w", req.URL.Host, err)
	}
	defer res.Body.Close()
	said, _ := io.ReadAll(io.LimitReader(res.Body, maxAnswer))
	seconds, _ := strconv.Atoi(res.Header.Get("Retry-After"))
	again = time.Duration(max(0, seconds)) * time.Second
	switch {
	case res.StatusCode == http.StatusAccepted:
		return again, errNotYet
	case res.StatusCode/100 == 2:
		return 0, nil
	default:
		return again, fmt.Errorf("the hook answered %s: %s", res.Status, strings.ToValidUTF8(strings.TrimSpace(string(said)), "�"))
	}
}
