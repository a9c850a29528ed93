package aliyun

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"

	"github.com/alibabacloud-go/tea/dara"

	"github.com/alertscaler/alertscaler/scaler/outgoing"
	"github.com/alertscaler/alertscaler/scaler/target/share"
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
	share.NoteResponse(resp) // the SDK does not tell all of an answer
	if resp.StatusCode >= 300 && resp.StatusCode < 400 {
		// To the SDK it is a success.
		return nil, fmt.Errorf("HTTP status %s to %.200q", resp.Status, resp.Header.Get("Location"))
	}
	return resp, nil
}
