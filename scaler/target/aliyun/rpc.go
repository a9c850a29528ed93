package aliyun

import (
	"context"
	"net/http"

	openapi "github.com/alibabacloud-go/darabonba-openapi/v2/client"
	"github.com/alibabacloud-go/darabonba-openapi/v2/utils"
	"github.com/alibabacloud-go/tea/dara"
	"github.com/aliyun/credentials-go/credentials"

	"github.com/alertscaler/alertscaler/scaler/target/share"
)

// rpc is one version of a service's API, called through the SDK's general
// client. The client that the SDK has for a service makes the same requests, a
// function for each, and several megabytes of those that nobody makes would be
// in the program as soon as anything had a field of its type.
type rpc struct {
	version string
	// who finds the credentials of this moment.
	who func(context.Context) (credentials.Credential, error)
	// client is what that of a call is copied from: a call writes to its client.
	client openapi.Client
}

// clientConfig is that of a client which makes one attempt, whatever comes of
// it: it has no RetryOptions.
func clientConfig(a Access, endpoint string, w wire) *utils.Config {
	c := &utils.Config{RegionId: &a.Region, Protocol: &a.Protocol, UserAgent: new("alertscaler"), HttpClient: w}
	if endpoint != "" {
		c.Endpoint = &endpoint
	}
	return c
}

// call makes one call and returns the body of its answer. A success that does
// not look like one is an error: a proxy's page must not be taken for a region
// without groups.
func (r *rpc) call(ctx context.Context, action string, query map[string]any) (map[string]any, error) {
	who, err := r.who(ctx)
	if err != nil {
		return nil, err
	}
	client := r.client
	client.Credential = who
	// Typed errors, and not their texts in one of no type.
	client.DisableSDKError = new(true)
	ctx = share.Note(ctx)
	answer, err := client.CallApiWithCtx(ctx, &utils.Params{
		Action: &action, Version: &r.version, Protocol: new("HTTPS"), Pathname: new("/"), Method: new("POST"),
		AuthType: new("AK"), Style: new("RPC"), ReqBodyType: new("formData"), BodyType: new("json"),
	}, &utils.OpenApiRequest{Query: utils.Query(query)}, new(dara.RuntimeOptions))
	if err != nil {
		return nil, newCallError(ctx, action, err)
	}
	body, _ := answer["body"].(map[string]any)
	return body, answered(action, body["RequestId"])
}

// answered makes an error of a success without what each has.
func answered(action string, id any) error {
	if id == nil || id == "" {
		return &callError{action: action, status: http.StatusOK, err: errNoAnswer}
	}
	return nil
}
