package aliyun

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/alibabacloud-go/tea/dara"
	"github.com/aliyun/credentials-go/credentials"
	"github.com/aliyun/credentials-go/credentials/providers"

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

// keyring finds the credentials of this moment. It is safe for concurrent use.
//
// The SDK's own providers take no context, are not safe for concurrent use, and
// tell a role that may not be assumed from a network that is down by nothing
// but their texts. So the chain is asked beside the caller, who may leave, by
// one at a time; and a role is assumed with the SDK's general client.
type keyring struct {
	access Access
	sts    rpc

	chainLock share.Lock // held while chain is used
	chain     providers.CredentialsProvider

	roleLock share.Lock // held while what follows is used
	session  credentials.Credential
	expires  time.Time
}

func newKeyring(a Access, w wire) (*keyring, error) {
	k := &keyring{access: a}
	k.sts.version, k.sts.who = "2015-04-01", k.own
	return k, k.sts.client.Init(clientConfig(a, cmp.Or(a.STSEndpoint, "sts."+a.Region+".aliyuncs.com"), w))
}

// get returns what to sign with.
func (k *keyring) get(ctx context.Context) (credentials.Credential, error) {
	if k.access.RoleARN == "" {
		return k.own(ctx)
	}
	if err := k.roleLock.Lock(ctx); err != nil {
		return nil, err
	}
	defer k.roleLock.Unlock()
	if time.Until(k.expires) <= renewBefore {
		session, expires, err := k.assume(ctx)
		if err != nil {
			return nil, err
		}
		k.session, k.expires = session, expires
	}
	return k.session, nil
}

// own returns the credentials that we have without anyone's help.
func (k *keyring) own(ctx context.Context) (credentials.Credential, error) {
	if k.access.AccessKeyID != "" {
		return newSigner(providers.Credentials{AccessKeyId: k.access.AccessKeyID, AccessKeySecret: string(k.access.AccessKeySecret)}), nil
	}
	if err := k.chainLock.Lock(ctx); err != nil {
		return nil, err
	}
	return share.Within(ctx, func(context.Context) (credentials.Credential, error) {
		defer k.chainLock.Unlock()
		chain := k.chain
		if chain == nil {
			chain = providers.NewDefaultCredentialsProvider()
		}
		// A chain sticks to the provider that it tried last, even to one that
		// had nothing.
		k.chain = nil
		c, err := chain.GetCredentials()
		if err == nil && c == nil {
			err = errors.New("the chain found none")
		}
		if err != nil {
			return nil, &credentialsError{err}
		}
		k.chain = chain
		return newSigner(*c), nil
	})
}

// assume asks for a session of the role.
func (k *keyring) assume(ctx context.Context) (credentials.Credential, time.Time, error) {
	const action = "AssumeRole"
	query := map[string]any{"RoleArn": k.access.RoleARN, "RoleSessionName": sessionName, "DurationSeconds": sessionSeconds}
	if k.access.ExternalID != "" {
		query["ExternalId"] = k.access.ExternalID
	}
	body, err := k.sts.call(ctx, action, query)
	if err != nil {
		return nil, time.Time{}, err
	}
	var c struct {
		providers.Credentials
		Expiration time.Time
	}
	if err := dara.Convert(body["Credentials"], &c); err != nil || c.AccessKeyId == "" || c.AccessKeySecret == "" || c.SecurityToken == "" || c.Expiration.IsZero() {
		return nil, time.Time{}, answered(action, "")
	}
	c.ProviderName = "ram_role_arn"
	return newSigner(c.Credentials), c.Expiration, nil
}

// credentialsError says that there are none.
type credentialsError struct{ err error }

func (e *credentialsError) Error() string { return fmt.Sprintf("no credentials: %.500s", e.err) }
func (e *credentialsError) Unwrap() error { return e.err }

// signer is a credentials.Credential of one key. The SDK calls GetCredential
// alone; the rest of the interface is deprecated, and nil here.
type signer struct {
	credentials.Credential
	model credentials.CredentialModel
}

func newSigner(c providers.Credentials) signer {
	s := signer{model: credentials.CredentialModel{
		AccessKeyId: &c.AccessKeyId, AccessKeySecret: &c.AccessKeySecret, Type: new("access_key"),
	}}
	if c.SecurityToken != "" {
		s.model.SecurityToken, s.model.Type = &c.SecurityToken, new("sts")
	}
	if c.ProviderName != "" {
		s.model.ProviderName = &c.ProviderName
	}
	return s
}

// GetCredential implements credentials.Credential.
func (s signer) GetCredential() (*credentials.CredentialModel, error) { return &s.model, nil }
