package http

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"net/http"
	"net/url"
	"strings"

	"github.com/prometheus/common/config"

	"github.com/alertscaler/alertscaler/scaler/target"
)

// maxAnswer bounds what an answer may take. A few numbers are wanted of it.
const maxAnswer = 1 << 20

// remote is a target.Target.
type remote struct {
	cfg            Config
	current, scale *url.URL
	values         values // but for Desired
	// reader follows redirects where it may, writer never: what comes of a PUT
	// that goes elsewhere, or becomes a GET on the way, nobody knows.
	reader, writer *http.Client
}

var (
	_ target.Target = (*remote)(nil)
	_ target.Closer = (*remote)(nil)
)

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
		client, err = config.NewClientFromConfig(c.HTTPClientConfig, "target_http", config.WithUserAgent("alertscaler"))
		if err != nil {
			return nil, fmt.Errorf("client of %s: %w", shown(r.scale), err)
		}
		if c.HTTPClientConfig.OAuth2 != nil {
			client.Transport = bounded{client.Transport}
		}
	}
	reader, writer := *client, *client
	writer.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	if c.Current.Method != http.MethodGet {
		reader.CheckRedirect = writer.CheckRedirect
	}
	r.reader, r.writer = &reader, &writer
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
	req, err := http.NewRequestWithContext(ctx, r.cfg.Scale.Method, r.scale.String(), strings.NewReader(body))
	if err != nil {
		return target.Errorf(target.KindPermanent, op, "%w", withoutURL(err))
	}
	req.Header.Set("Content-Type", r.cfg.Scale.ContentType)
	req.Header.Set("Accept", "application/json")
	if etag != "" {
		req.Header.Set("If-Match", etag)
	}
	res, err := r.writer.Do(req)
	if err != nil {
		return failure(ctx, op, err)
	}
	defer res.Body.Close()
	if err := refusal(op, res); err != nil {
		return err
	}
	// What an accepted request is answered with is nobody's business, and is
	// read only so that the connection serves again.
	_, _ = io.Copy(io.Discard, io.LimitReader(res.Body, maxAnswer))
	return nil
}

// Close implements target.Closer.
func (r *remote) Close() error {
	r.reader.CloseIdleConnections()
	return nil
}

// read asks for the numbers. The ETag is empty where there is none that a
// write could be made conditional on.
func (r *remote) read(ctx context.Context, op string) (target.State, string, error) {
	text, err := r.cfg.Current.Body.render(r.values)
	if err != nil {
		return target.State{}, "", target.Errorf(target.KindPermanent, op, "current.body: %w", err)
	}
	var body io.Reader
	if text != "" {
		body = strings.NewReader(text)
	}
	req, err := http.NewRequestWithContext(ctx, r.cfg.Current.Method, r.current.String(), body)
	if err != nil {
		return target.State{}, "", target.Errorf(target.KindPermanent, op, "%w", withoutURL(err))
	}
	req.Header.Set("Accept", "application/json")
	if text != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	res, err := r.reader.Do(req)
	if err != nil {
		return target.State{}, "", failure(ctx, op, err)
	}
	defer res.Body.Close()
	if err := refusal(op, res); err != nil {
		return target.State{}, "", err
	}
	answer, err := io.ReadAll(io.LimitReader(res.Body, maxAnswer+1))
	if err != nil {
		return target.State{}, "", failure(ctx, op, fmt.Errorf("read the answer: %w", err))
	}
	if len(answer) > maxAnswer {
		return target.State{}, "", target.Errorf(target.KindPermanent, op, "the answer is larger than %d bytes", maxAnswer)
	}
	st, err := r.cfg.Current.state(op, answer)
	if err != nil {
		return target.State{}, "", err
	}
	return st, r.etag(res), nil
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

// state reads the numbers out of an answer. What is not JSON may be a page
// that a proxy puts up for a while; JSON without the numbers is another
// contract, which no later try will change.
func (c *CurrentConfig) state(op string, answer []byte) (target.State, error) {
	dec := json.NewDecoder(bytes.NewReader(answer))
	dec.UseNumber()
	var doc any
	err := dec.Decode(&doc)
	if err == nil {
		if _, more := dec.Token(); !errors.Is(more, io.EOF) {
			err = errors.New("something comes after the value")
		}
	}
	if err != nil {
		return target.State{}, target.Errorf(target.KindTemporary, op, "the answer is not JSON: %w (%q)", err, excerpt(answer))
	}
	st, err := c.numbers(doc)
	if err != nil {
		return target.State{}, target.Errorf(target.KindPermanent, op, "%w", err)
	}
	return st, nil
}

func (c *CurrentConfig) numbers(doc any) (st target.State, err error) {
	if st.Requested, err = c.Requested.whole(doc); err != nil {
		return target.State{}, err
	}
	st.Ready = st.Requested
	if c.Ready != "" {
		if st.Ready, err = c.Ready.whole(doc); err != nil {
			return target.State{}, err
		}
	}
	if st.Min, err = bound(doc, c.Min, "min"); err != nil {
		return target.State{}, err
	}
	if st.Max, err = bound(doc, c.Max, "max"); err != nil {
		return target.State{}, err
	}
	if st.Max > 0 && st.Min > st.Max {
		return target.State{}, fmt.Errorf("min %d is above max %d", st.Min, st.Max)
	}
	return st, nil
}

// bound reads one of the platform's own bounds; 0 is none.
func bound(doc any, path *Path, usual Path) (int, error) {
	if path == nil {
		if _, ok := doc.(map[string]any); !ok {
			return 0, nil // a list or a bare number has no keys
		}
		n, err := usual.whole(doc)
		if errors.Is(err, errAbsent) {
			return 0, nil
		}
		return n, err
	}
	if *path == "" {
		return 0, nil
	}
	return path.whole(doc)
}
