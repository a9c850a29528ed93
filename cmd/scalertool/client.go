package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/alecthomas/kingpin/v2"
	commoncfg "github.com/prometheus/common/config"
)

// client asks a running server.
type client struct {
	url        *string
	httpConfig *string
	timeout    *time.Duration
}

// newClient adds the flags by which a server is reached.
func newClient(cmd *kingpin.CmdClause) *client {
	return &client{
		url:        cmd.Flag("alertscaler.url", "URL of the server.").Default("http://localhost:9920").Envar("ALERTSCALER_URL").String(),
		httpConfig: cmd.Flag("http.config.file", "File with HTTP client options (basic_auth, authorization, tls_config, …).").ExistingFile(),
		timeout:    cmd.Flag("timeout", "How long to wait for an answer.").Default("10s").Duration(),
	}
}

// answer is the envelope of the server's API.
type answer struct {
	Status string          `json:"status"`
	Data   json.RawMessage `json:"data"`
	Error  string          `json:"error"`
}

// get decodes the data at an API path into v.
func (c *client) get(ctx context.Context, path string, v any) error {
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
	hc, err := commoncfg.NewClientFromConfig(*httpConfig, "scalertool")
	if err != nil {
		return fmt.Errorf("build the HTTP client: %w", err)
	}
	ctx, cancel := context.WithTimeout(ctx, *c.timeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, base.JoinPath(path).String(), http.NoBody)
	if err != nil {
		return err
	}
	resp, err := hc.Do(req)
	if err != nil {
		return fmt.Errorf("ask the server: %w", err)
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
		return failure{fmt.Errorf("%s", a.Error)}
	}
	if resp.StatusCode != http.StatusOK || a.Status != "success" {
		return fmt.Errorf("%s answered %s: %s", req.URL.Redacted(), resp.Status, a.Error)
	}
	if err := json.Unmarshal(a.Data, v); err != nil {
		return fmt.Errorf("decode the answer of %s: %w", req.URL.Redacted(), err)
	}
	return nil
}
