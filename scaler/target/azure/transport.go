package azure

import (
	"fmt"
	"net/http"
	"strings"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"

	"github.com/alertscaler/alertscaler/scaler/target/share"
)

// transport is a policy.Transporter that notes the network's errors, and sends
// tokens to Azure Resource Manager alone: an answer says where the operation
// that it began can be followed, and the SDK goes there with the token.
type transport struct {
	next         policy.Transporter
	tokensOnlyTo string // scheme://host
}

// Do implements policy.Transporter.
func (t transport) Do(req *http.Request) (*http.Response, error) {
	if to := req.URL.Scheme + "://" + req.URL.Host; req.Header.Get("Authorization") != "" && !strings.EqualFold(to, t.tokensOnlyTo) {
		return nil, fmt.Errorf("an answer of %s leads to %s, which is another server, and no token is sent there", t.tokensOnlyTo, to)
	}
	res, err := t.next.Do(req)
	share.NoteError(req.Context(), err)
	return res, err
}
