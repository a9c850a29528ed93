package aliyun

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"time"

	"github.com/alibabacloud-go/tea/dara"

	"github.com/alertscaler/alertscaler/scaler/outgoing"
)

// errNoAnswer is for a 200 that has not what every answer of the API has.
var errNoAnswer = errors.New("the answer is not one of this API")

// maxAnswer bounds an answer; the largest have a few hundred kilobytes.
const maxAnswer = 32 << 20

// wire makes the SDK's requests. The SDK's own client is global, keeps the
// options of whoever was first, and may be told of no transport.
type wire struct{ *http.Client }

var _ dara.HttpClient = wire{}

func newWire(c *http.Client) wire {
	own := *c
	// A redirected POST comes back as the answer to a GET.
	own.CheckRedirect = outgoing.Stay
	return wire{&own}
}

// Call implements dara.HttpClient. The transport that the SDK made is not used.
func (w wire) Call(req *http.Request, _ *http.Transport) (*http.Response, error) {
	resp, err := w.Do(req)
	if err != nil {
		return nil, err
	}
	// The SDK does not always close a body, and would read one of any size.
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	if err != nil {
		return nil, err
	}
	resp.Body = io.NopCloser(bytes.NewReader(body))
	if n, ok := req.Context().Value(noteKey{}).(*note); ok {
		n.status = resp.StatusCode
		if seconds, err := strconv.Atoi(resp.Header.Get("Retry-After")); err == nil && seconds > 0 {
			n.retryAfter = time.Duration(seconds) * time.Second
		}
	}
	if resp.StatusCode >= 300 && resp.StatusCode < 400 {
		// To the SDK it is a success.
		return nil, fmt.Errorf("HTTP status %s to %.200q", resp.Status, resp.Header.Get("Location"))
	}
	return resp, nil
}

// note is what the SDK does not tell of an answer.
type note struct {
	status     int
	retryAfter time.Duration
}

type noteKey struct{}

// withNote returns a context for one call, and what will be known of its
// answer.
func withNote(ctx context.Context) (context.Context, *note) {
	n := new(note)
	return context.WithValue(ctx, noteKey{}, n), n
}
