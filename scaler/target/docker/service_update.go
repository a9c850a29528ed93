package docker

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"

	"github.com/containerd/errdefs/pkg/errhttp"
	"github.com/moby/moby/api/types/common"
	"github.com/moby/moby/api/types/swarm"

	"github.com/alertscaler/alertscaler/scaler/target"
)

// maxAnswer bounds what is read of an answer.
const maxAnswer = 1 << 20

// updateReplicas gives the service's specification back to the Engine as it
// came, but for the number of replicas, and returns the Engine's warnings.
//
// It does not use the client's ServiceUpdate, because that decodes the
// specification into the client's types and so drops what they do not know,
// and adds :latest to an image without a tag. Either is a change of the tasks,
// for which Swarm replaces every running replica.
func (e *engine) updateReplicas(ctx context.Context, svc replicated, desired int) ([]string, error) {
	spec, err := withReplicas(svc.raw, desired)
	if err != nil {
		return nil, fmt.Errorf("change the specification of service %s: %w", svc.ID, err)
	}
	u := e.rawBase
	u.Path += "/v" + e.api.ClientVersion() + "/services/" + svc.ID + "/update"
	u.RawQuery = url.Values{"version": {svc.Version.String()}}.Encode()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, u.String(), bytes.NewReader(spec))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("User-Agent", "alertscaler")
	resp, err := e.raw.Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	if err != nil {
		return nil, err
	}
	if resp.StatusCode/100 != 2 {
		err := responseError(resp.StatusCode, body)
		if outOfSequence(err) {
			return nil, &target.Error{Kind: target.KindConflict, Op: "update version " + svc.Version.String(), Err: err}
		}
		return nil, err
	}
	var answer swarm.ServiceUpdateResponse
	if err := json.Unmarshal(body, &answer); err != nil {
		return nil, fmt.Errorf("decode the engine's answer: %w", err)
	}
	return answer.Warnings, nil
}

// withReplicas returns the specification within a service's description, every
// value as it was but Mode.Replicated.Replicas.
func withReplicas(service []byte, desired int) ([]byte, error) {
	type object = map[string]json.RawMessage
	var description, spec, mode, replicated object
	for _, level := range []struct {
		name string
		in   func() json.RawMessage
		out  *object
	}{
		{"service", func() json.RawMessage { return service }, &description},
		{"Spec", func() json.RawMessage { return description["Spec"] }, &spec},
		{"Spec.Mode", func() json.RawMessage { return spec["Mode"] }, &mode},
		{"Spec.Mode.Replicated", func() json.RawMessage { return mode["Replicated"] }, &replicated},
	} {
		if err := json.Unmarshal(level.in(), level.out); err != nil {
			return nil, fmt.Errorf("decode %s: %w", level.name, err)
		}
	}
	var err error
	put := func(o object, key string, v any) {
		if err == nil {
			o[key], err = json.Marshal(v)
		}
	}
	put(replicated, "Replicas", desired)
	put(mode, "Replicated", replicated)
	put(spec, "Mode", mode)
	if err != nil {
		return nil, err
	}
	return json.Marshal(spec)
}

// responseError is an answer other than 2xx as an error of the type that the
// client library would give it.
func responseError(status int, body []byte) error {
	var answer common.ErrorResponse
	if err := json.Unmarshal(body, &answer); err != nil || answer.Message == "" {
		answer.Message = strings.TrimSpace(string(body[:min(len(body), 1024)]))
	}
	if answer.Message == "" {
		answer.Message = http.StatusText(status)
	}
	return fmt.Errorf("the engine answered %d: %w", status, &engineError{answer.Message, errhttp.ToNative(status)})
}

// engineError has the Engine's words for a text and the type of its status.
type engineError struct {
	message string
	class   error
}

func (e *engineError) Error() string { return e.message }
func (e *engineError) Unwrap() error { return e.class }

// outOfSequence reports whether the service has changed since the version that
// was to be updated. The Engine passes this on from Swarm as an internal error
// of unknown cause; the text is all there is to tell it by.
func outOfSequence(err error) bool {
	var e *engineError
	return errors.As(err, &e) && strings.Contains(e.message, "update out of sequence")
}
