package aws

import (
	"context"
	"errors"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/smithy-go"

	"github.com/alertscaler/alertscaler/scaler/target"
)

// credentials gives out what another provider found, keeps it until it
// expires, and marks its errors: no credentials are another thing than no
// answer.
type credentials struct{ cache *aws.CredentialsCache }

func newCredentials(p aws.CredentialsProvider) *credentials {
	cache, ok := p.(*aws.CredentialsCache)
	if !ok {
		cache = aws.NewCredentialsCache(p)
	}
	return &credentials{cache}
}

// Retrieve implements aws.CredentialsProvider.
func (c *credentials) Retrieve(ctx context.Context) (aws.Credentials, error) {
	v, err := c.cache.Retrieve(ctx)
	if err != nil {
		return v, &credentialsError{err}
	}
	return v, nil
}

// credentialsError says that there were no credentials to sign a request with.
type credentialsError struct{ err error }

func (e *credentialsError) Error() string { return "credentials: " + e.err.Error() }
func (e *credentialsError) Unwrap() error { return e.err }

// kind tells a service that gives credentials and could not be reached from
// credentials that are missing or not enough.
func (e *credentialsError) kind() target.Kind {
	if inner, ok := errors.AsType[*credentialsError](e.err); ok {
		return inner.kind() // those with which a role was to be assumed
	}
	if _, ok := errors.AsType[smithy.APIError](e.err); ok {
		return answerKind(e.err)
	}
	// The instance metadata come last in the chain: where they do not answer
	// either, this is no instance, and there are no credentials.
	if op, ok := errors.AsType[*smithy.OperationError](e.err); ok && op.Service() != "ec2imds" {
		return target.KindTemporary
	}
	return target.KindUnauthorized
}
