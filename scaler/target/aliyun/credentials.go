package aliyun

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	openapi "github.com/alibabacloud-go/darabonba-openapi/v2/client"
	"github.com/alibabacloud-go/darabonba-openapi/v2/utils"
	"github.com/alibabacloud-go/tea/dara"
	"github.com/aliyun/credentials-go/credentials"
	"github.com/aliyun/credentials-go/credentials/providers"

	"github.com/alertscaler/alertscaler/scaler/recovery"
	"github.com/alertscaler/alertscaler/scaler/target/share"
)

const (
	// sessionName is how we appear in the audit trail after assuming a role.
	sessionName = "alertscaler"
	// sessionSeconds is how long a session is asked for: the default maximum
	// of a role.
	sessionSeconds = 3600
	// renewBefore is how long before its end a session is renewed.
	renewBefore = 5 * time.Minute
)

// key is an access key, of a user or of a session.
type key struct{ id, secret, token, provider string }

// keyring finds the credentials of this moment. It is safe for concurrent use.
//
// The SDK's own providers take no context, are not safe for concurrent use, and
// tell a role that may not be assumed from a network that is down by nothing
// but their texts. So the chain is asked beside the caller, who may leave, by
// one at a time; and a role is assumed with the SDK's general client.
type keyring struct {
	access Access
	sts    openapi.Client

	chainLock share.Lock // held while chain is used
	chain     providers.CredentialsProvider

	roleLock share.Lock // held while what follows is used
	session  key
	expires  time.Time
}

func newKeyring(a Access, client dara.HttpClient) (*keyring, error) {
	k := &keyring{access: a}
	err := k.sts.Init(&utils.Config{
		RegionId:   new(a.Region),
		Endpoint:   new(cmp.Or(a.STSEndpoint, "sts."+a.Region+".aliyuncs.com")),
		Protocol:   new(a.Protocol),
		UserAgent:  new("alertscaler"),
		HttpClient: client,
	})
	k.sts.DisableSDKError = new(true)
	return k, err
}

// get returns what to sign with.
func (k *keyring) get(ctx context.Context) (credentials.Credential, error) {
	if k.access.RoleARN == "" {
		own, err := k.own(ctx)
		return signer{own}, err
	}
	if err := k.roleLock.Lock(ctx); err != nil {
		return nil, err
	}
	defer k.roleLock.Unlock()
	if time.Until(k.expires) > renewBefore {
		return signer{k.session}, nil
	}
	own, err := k.own(ctx)
	if err != nil {
		return nil, err
	}
	session, expires, err := k.assume(ctx, own)
	if err != nil {
		return nil, err
	}
	k.session, k.expires = session, expires
	return signer{session}, nil
}

// own returns the credentials that we have without anyone's help.
func (k *keyring) own(ctx context.Context) (key, error) {
	if k.access.AccessKeyID != "" {
		return key{id: k.access.AccessKeyID, secret: string(k.access.AccessKeySecret)}, nil
	}
	if err := k.chainLock.Lock(ctx); err != nil {
		return key{}, err
	}
	type answer struct {
		key key
		err error
	}
	answers := make(chan answer, 1)
	go func() {
		defer k.chainLock.Unlock()
		if k.chain == nil {
			k.chain = providers.NewDefaultCredentialsProvider()
		}
		var c *providers.Credentials
		err := recovery.Do(recovery.Reading, func() (err error) {
			c, err = k.chain.GetCredentials()
			return err
		})
		if err != nil || c == nil {
			// A chain sticks to the provider that it tried last, even to one
			// that had nothing.
			k.chain = nil
			answers <- answer{err: &credentialsError{orNone(err)}}
			return
		}
		answers <- answer{key: key{c.AccessKeyId, c.AccessKeySecret, c.SecurityToken, c.ProviderName}}
	}()
	select {
	case a := <-answers:
		return a.key, a.err
	case <-ctx.Done():
		return key{}, ctx.Err()
	}
}

// assume asks for a session of the role.
func (k *keyring) assume(ctx context.Context, own key) (key, time.Time, error) {
	query := map[string]any{"RoleArn": k.access.RoleARN, "RoleSessionName": sessionName, "DurationSeconds": sessionSeconds}
	if k.access.ExternalID != "" {
		query["ExternalId"] = k.access.ExternalID
	}
	sts := k.sts // a call writes to its client
	sts.Credential = signer{own}
	ctx = share.Note(ctx)
	result, err := sts.CallApiWithCtx(ctx, &utils.Params{
		Action: new("AssumeRole"), Version: new("2015-04-01"), Protocol: new(k.access.Protocol), Pathname: new("/"),
		Method: new("POST"), AuthType: new("AK"), Style: new("RPC"), ReqBodyType: new("formData"), BodyType: new("json"),
	}, &utils.OpenApiRequest{Query: utils.Query(query)}, &dara.RuntimeOptions{})
	if err != nil {
		return key{}, time.Time{}, newCallError(ctx, "AssumeRole", err)
	}
	var got struct {
		Body struct {
			Credentials struct{ AccessKeyId, AccessKeySecret, SecurityToken, Expiration string } //nolint:revive // the API's names
		} `json:"body"`
	}
	if err := dara.Convert(result, &got); err != nil {
		return key{}, time.Time{}, newCallError(ctx, "AssumeRole", err)
	}
	c := got.Body.Credentials
	expires, err := time.Parse(time.RFC3339, c.Expiration)
	if err != nil || c.AccessKeyId == "" || c.AccessKeySecret == "" || c.SecurityToken == "" {
		return key{}, time.Time{}, newCallError(ctx, "AssumeRole", errNoAnswer)
	}
	return key{c.AccessKeyId, c.AccessKeySecret, c.SecurityToken, "ram_role_arn"}, expires, nil
}

// credentialsError says that there are none.
type credentialsError struct{ err error }

func (e *credentialsError) Error() string { return fmt.Sprintf("no credentials: %.500s", e.err) }
func (e *credentialsError) Unwrap() error { return e.err }

// signer is a credentials.Credential that is just this key.
type signer struct{ key key }

var _ credentials.Credential = signer{}

func (s signer) kind() string {
	if s.key.token != "" {
		return "sts"
	}
	return "access_key"
}

// GetCredential implements credentials.Credential.
func (s signer) GetCredential() (*credentials.CredentialModel, error) {
	m := &credentials.CredentialModel{AccessKeyId: &s.key.id, AccessKeySecret: &s.key.secret, Type: new(s.kind())}
	if s.key.token != "" {
		m.SecurityToken = &s.key.token
	}
	if s.key.provider != "" {
		m.ProviderName = &s.key.provider
	}
	return m, nil
}

// The following are in the interface and deprecated.

// GetAccessKeyId implements credentials.Credential.
func (s signer) GetAccessKeyId() (*string, error) { return &s.key.id, nil } //nolint:revive // the SDK's name

// GetAccessKeySecret implements credentials.Credential.
func (s signer) GetAccessKeySecret() (*string, error) { return &s.key.secret, nil }

// GetSecurityToken implements credentials.Credential.
func (s signer) GetSecurityToken() (*string, error) { return &s.key.token, nil }

// GetBearerToken implements credentials.Credential.
func (s signer) GetBearerToken() *string { return new("") }

// GetType implements credentials.Credential.
func (s signer) GetType() *string { return new(s.kind()) }

func orNone(err error) error {
	if err == nil {
		return errors.New("the chain found none")
	}
	return err
}
