package gcp

import (
	"context"

	compute "google.golang.org/api/compute/v1"
)

// api is what is called of the Compute Engine API.
//
// It is made of functions, and no type that a target can be seen to have leads
// to compute.Service. The linker would keep every method of every resource of
// Compute Engine for whoever might look them up by name: 11 MB.
type api struct {
	group           func(ctx context.Context, p place, name string) (*compute.InstanceGroupManager, error)
	groups          func(ctx context.Context, p place) ([]*compute.InstanceGroupManager, error)
	instances       func(ctx context.Context, p place, name string) ([]*compute.ManagedInstance, error)
	resize          func(ctx context.Context, p place, name string, size int64, requestID string) (*compute.Operation, error)
	deleteInstances func(ctx context.Context, p place, name string, instances []string, requestID string) (*compute.Operation, error)
	operation       func(ctx context.Context, p place, name string) (*compute.Operation, error)
	autoscaler      func(ctx context.Context, p place, name string) (*compute.Autoscaler, error)
	// everywhere calls f with each page of the groups of a project.
	everywhere func(ctx context.Context, project string, f func(*compute.InstanceGroupManagerAggregatedList) error) error
}

func newAPI(s *compute.Service) api {
	return api{
		group: func(ctx context.Context, p place, name string) (*compute.InstanceGroupManager, error) {
			return getGroup(ctx, s, p, name)
		},
		groups: func(ctx context.Context, p place) ([]*compute.InstanceGroupManager, error) {
			return listGroups(ctx, s, p)
		},
		instances: func(ctx context.Context, p place, name string) ([]*compute.ManagedInstance, error) {
			return listInstances(ctx, s, p, name)
		},
		resize: func(ctx context.Context, p place, name string, size int64, requestID string) (*compute.Operation, error) {
			return resize(ctx, s, p, name, size, requestID)
		},
		deleteInstances: func(ctx context.Context, p place, name string, instances []string, requestID string) (*compute.Operation, error) {
			return deleteInstances(ctx, s, p, name, instances, requestID)
		},
		operation: func(ctx context.Context, p place, name string) (*compute.Operation, error) {
			return getOperation(ctx, s, p, name)
		},
		autoscaler: func(ctx context.Context, p place, name string) (*compute.Autoscaler, error) {
			return getAutoscaler(ctx, s, p, name)
		},
		everywhere: func(ctx context.Context, project string, f func(*compute.InstanceGroupManagerAggregatedList) error) error {
			return s.InstanceGroupManagers.AggregatedList(project).MaxResults(perPage).Fields(discoveryFields).Pages(ctx, f)
		},
	}
}
