package docker

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/moby/moby/client"

	"github.com/alertscaler/alertscaler/scaler/target"
	"github.com/alertscaler/alertscaler/scaler/target/share"
)

// updateReplicas gives the service's specification back to the Engine as it
// came, but for the number of replicas, and returns the Engine's warnings.
//
// What the client library would send is not that: it decodes the specification
// into its own types and so drops what they do not know, and it adds :latest to
// an image without a tag. Either is a change of the tasks, for which Swarm
// replaces every running replica.
func (e *engine) updateReplicas(ctx context.Context, svc replicated, desired int) (warnings []string, err error) {
	spec, err := withReplicas(svc.raw, desired)
	if err != nil {
		return nil, fmt.Errorf("change the specification of service %s: %w", svc.ID, err)
	}
	res, err := e.api.ServiceUpdate(context.WithValue(ctx, bodyKey{}, spec), svc.ID, client.ServiceUpdateOptions{Version: svc.Version})
	if err != nil && strings.Contains(err.Error(), "update out of sequence") {
		// The service has changed since the version that was to be updated. The
		// Engine passes this on from Swarm as an internal error of unknown cause;
		// the text is all there is to tell it by.
		return nil, &target.Error{Kind: target.KindConflict, Op: "update version " + svc.Version.String(), Err: err}
	}
	return res.Warnings, err
}

// withReplicas returns the specification within a service's description, every
// value as it was but Mode.Replicated.Replicas.
func withReplicas(service []byte, desired int) ([]byte, error) {
	description, err := share.Decode(service)
	if err != nil {
		return nil, err
	}
	within := func(v any, key string) any {
		object, _ := v.(map[string]any)
		return object[key]
	}
	spec := within(description, "Spec")
	replicated, ok := within(within(spec, "Mode"), "Replicated").(map[string]any)
	if !ok {
		return nil, errors.New("it has no Spec.Mode.Replicated")
	}
	replicated["Replicas"] = desired
	return json.Marshal(spec)
}
