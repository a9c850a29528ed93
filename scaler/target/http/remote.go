package http

import (
	"context"
	"fmt"
	"io"
	"math"
	"net/http"
	"net/url"
	"strings"

	"github.com/prometheus/common/config"

	"github.com/alertscaler/alertscaler/scaler/outgoing"
	"github.com/alertscaler/alertscaler/scaler/target"
	"github.com/alertscaler/alertscaler/scaler/target/share"
)

// maxAnswer bounds what an answer may take. A few numbers are wanted of it.
const maxAnswer = 1 << 20

// remote is a target.Target.
type remote struct {
	share.OnClose
	cfg            Config
	current, scale *url.URL
	values         values // but for Desired
	// reader follows redirects where it may, writer never: what comes of a PUT
	// that goes elsewhere, or becomes a GET on the way, nobody knows.
	reader, writer *http.Client
}

func newRemote(c *Config, o target.Options) (*remote, error) {
	r := &remote{cfg: *c, values: values{Policy: o.Policy, Target: o.Name, ScaleTarget: o.ScaleTarget}}
	// With the names that it has here, which may be such as JSON cannot hold
	// unquoted.
	if err := c.Scale.renders(r.values); err != nil {
		return nil, fmt.Errorf("scale.body: %w", err)
	}
	var err error
	if r.current, err = c.URL.resolve(c.Current.URL); err != nil {
		return nil, fmt.Errorf("current.url: %w", err)
	}
	if r.scale, err = c.URL.resolve(c.Scale.URL); err != nil {
		return nil, fmt.Errorf("scale.url: %w", err)
	}
	client := o.HTTPClient
	if client == nil {
		client, err = outgoing.NewClient(c.HTTPClientConfig, "target_http", config.WithUserAgent("alertscaler"))
		if err != nil {
			return nil, fmt.Errorf("client of %s: %w", shown(r.scale), err)
		}
	}
	reader, writer := *client, *client
	reader.Transport = outgoing.Guard(client.Transport)
	writer.CheckRedirect = outgoing.Stay
	if c.Current.Method != http.MethodGet {
		reader.CheckRedirect = writer.CheckRedirect
	}
	r.reader, r.writer, r.OnClose = &reader, &writer, reader.CloseIdleConnections
	return r, nil
}

// Current implements target.Target.
func (r *remote) Current(ctx context.Context) (target.State, error) {
	st, _, err := r.read(ctx, "read "+shown(r.current))
	return st, err
}

// Scale implements target.Target. A change since it was read is a conflict
// where the server gives an ETag, and is overwritten where it does not.
func (r *remote) Scale(ctx context.Context, desired int) error {
	op := fmt.Sprintf("scale %s to %d", shown(r.scale), desired)
	if desired < 0 || desired > math.MaxInt32 {
		return target.Errorf(target.KindPermanent, op, "%d is not a number of replicas", desired)
	}
	st, etag, err := r.read(ctx, op)
	if err != nil {
		return err
	}
	if st.Requested == desired {
		return target.Errorf(target.KindNoOp, op, "it has %d replicas already", desired)
	}
	v := r.values
	v.Desired = desired
	body, err := r.cfg.Scale.Body.render(v)
	if err != nil {
		return target.Errorf(target.KindPermanent, op, "body: %w", err)
	}
	header := http.Header{"Content-Type": {r.cfg.Scale.ContentType}}
	if etag != "" {
		header.Set("If-Match", etag)
	}
	res, err := send(ctx, op, r.writer, r.cfg.Scale.Method, r.scale, header, body)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	// What an accepted request is answered with is nobody's business, and is
	// read only so that the connection serves again.
	_, _ = io.Copy(io.Discard, io.LimitReader(res.Body, maxAnswer))
	return nil
}

// read asks for the numbers. The ETag is empty where there is none that a
// write could be made conditional on.
func (r *remote) read(ctx context.Context, op string) (target.State, string, error) {
	body, err := r.cfg.Current.Body.render(r.values)
	if err != nil {
		return target.State{}, "", target.Errorf(target.KindPermanent, op, "current.body: %w", err)
	}
	header := make(http.Header)
	if body != "" {
		header.Set("Content-Type", "application/json")
	}
	res, err := send(ctx, op, r.reader, r.cfg.Current.Method, r.current, header, body)
	if err != nil {
		return target.State{}, "", err
	}
	defer res.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(res.Body, maxAnswer+1))
	if err != nil {
		return target.State{}, "", failure(ctx, op, fmt.Errorf("read the answer: %w", err))
	}
	if len(answer) > maxAnswer {
		return target.State{}, "", target.Errorf(target.KindPermanent, op, "the answer is larger than %d bytes", maxAnswer)
	}
	st, err := r.cfg.Current.state(op, answer)
	return st, r.etag(res), err
}

// send makes a request, and returns the answer where that is a 2xx. The caller
// closes its body.
func send(ctx context.Context, op string, client *http.Client, method string, to *url.URL, header http.Header, body string) (*http.Response, error) {
	req, err := http.NewRequestWithContext(ctx, method, to.String(), strings.NewReader(body))
	if err != nil {
		return nil, target.Errorf(target.KindPermanent, op, "%w", withoutURL(err))
	}
	req.Header = header
	req.Header.Set("Accept", "application/json")
	res, err := client.Do(req)
	if err != nil {
		return nil, failure(ctx, op, err)
	}
	if err := refusal(op, res); err != nil {
		_ = res.Body.Close()
		return nil, err
	}
	return res, nil
}

// etag returns the answer's ETag where it speaks of what will be written: of
// the same URL, and strongly. A weak one matches nothing (RFC 9110, 13.1.1).
func (r *remote) etag(res *http.Response) string {
	etag := res.Header.Get("ETag")
	if strings.HasPrefix(etag, "W/") || res.Request.Method != http.MethodGet || res.Request.URL.String() != r.scale.String() {
		return ""
	}
	return etag
}
