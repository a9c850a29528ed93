package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/alecthomas/kingpin/v2"
	commoncfg "github.com/prometheus/common/config"
	"github.com/prometheus/common/model"

	"github.com/alertscaler/alertscaler/scaler/outgoing"
)

// client asks a running server.
type client struct {
	url        *string
	httpConfig *string
	timeout    *model.Duration
}

// newClient adds the flags by which a server is reached.
func newClient(cmd *kingpin.CmdClause) *client {
	timeout := new(model.Duration)
	durationFlag(cmd.Flag("timeout", "How long to wait for an answer.").Default("10s"), timeout)
	return &client{
		url:        cmd.Flag("alertscaler.url", "URL of the server.").Default("http://localhost:9920").Envar("ALERTSCALER_URL").String(),
		httpConfig: cmd.Flag("http.config.file", "File with HTTP client options (basic_auth, authorization, tls_config, …).").ExistingFile(),
		timeout:    timeout,
	}
}

// answer is the envelope of the server's API.
type answer struct {
	Status string          `json:"status"`
	Data   json.RawMessage `json:"data"`
	Error  string          `json:"error"`
}

// policyPath is the API path of one policy and what is below it.
func policyPath(name string, below ...string) (string, error) {
	if name == "" {
		return "", errors.New("the name of the policy is empty; scalertool status lists those there are")
	}
	return "/api/v1/policies/" + url.PathEscape(name) + strings.Join(below, ""), nil
}

// get decodes the data at an API path into v.
func (c *client) get(ctx context.Context, path string, v any) error {
	return c.do(ctx, http.MethodGet, path, nil, v)
}

// post sends in as JSON, or nothing where it is nil, and decodes the data of
// the answer into v.
func (c *client) post(ctx context.Context, path string, in, v any) error {
	var body []byte
	if in != nil {
		var err error
		if body, err = json.Marshal(in); err != nil {
			return fmt.Errorf("encode the request: %w", err)
		}
	}
	return c.do(ctx, http.MethodPost, path, body, v)
}

func (c *client) do(ctx context.Context, method, path string, in []byte, v any) error {
	base, err := url.Parse(*c.url)
	if err != nil || base.Host == "" {
		return fmt.Errorf("%q is not a URL; write it as http://host:port", *c.url)
	}
	httpConfig := &commoncfg.DefaultHTTPClientConfig
	if *c.httpConfig != "" {
		if httpConfig, _, err = commoncfg.LoadHTTPConfigFile(*c.httpConfig); err != nil {
			return fmt.Errorf("load %s: %w", *c.httpConfig, err)
		}
	}
	hc, err := outgoing.NewClient(*httpConfig, "scalertool")
	if err != nil {
		return fmt.Errorf("build the HTTP client: %w", err)
	}
	ctx, cancel := context.WithTimeout(ctx, time.Duration(*c.timeout))
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, method, base.JoinPath(path).String(), bytes.NewReader(in))
	if err != nil {
		return err
	}
	if len(in) > 0 {
		req.Header.Set("Content-Type", "application/json")
	}
	resp, err := hc.Do(req)
	if err != nil {
		// Its text repeats the URL, and a password or token may be in that.
		if e, ok := errors.AsType[*url.Error](err); ok {
			err = e.Err
		}
		return fmt.Errorf("ask the server at %s: %w", req.URL.Host, err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, 64<<20))
	if err != nil {
		return fmt.Errorf("read the answer of %s: %w", req.URL.Redacted(), err)
	}
	var a answer
	if err := json.Unmarshal(body, &a); err != nil {
		return fmt.Errorf("%s answered %s and no JSON: %.200s", req.URL.Redacted(), resp.Status, strings.TrimSpace(string(body)))
	}
	if resp.StatusCode == http.StatusNotFound {
		return failure{errors.New(a.Error)}
	}
	if resp.StatusCode != http.StatusOK || a.Status != "success" {
		return fmt.Errorf("%s answered %s: %s", req.URL.Redacted(), resp.Status, a.Error)
	}
	if err := json.Unmarshal(a.Data, v); err != nil {
		return fmt.Errorf("decode the answer of %s: %w", req.URL.Redacted(), err)
	}
	return nil
}
