package gcp

import (
	"context"
	"fmt"
	"slices"

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
			m, err := getGroup(ctx, s, p, name)
			return m, named(err, "a group", func() bool { return m != nil && m.Name == name })
		},
		groups: func(ctx context.Context, p place) ([]*compute.InstanceGroupManager, error) {
			list, err := listGroups(ctx, s, p)
			return list, named(err, "a list of groups", func() bool {
				return !slices.ContainsFunc(list, func(m *compute.InstanceGroupManager) bool { return m == nil || m.Name == "" })
			})
		},
		instances: func(ctx context.Context, p place, name string) ([]*compute.ManagedInstance, error) {
			return listInstances(ctx, s, p, name)
		},
		resize: func(ctx context.Context, p place, name string, size int64, requestID string) (*compute.Operation, error) {
			return operation(resize(ctx, s, p, name, size, requestID))
		},
		deleteInstances: func(ctx context.Context, p place, name string, instances []string, requestID string) (*compute.Operation, error) {
			return operation(deleteInstances(ctx, s, p, name, instances, requestID))
		},
		operation: func(ctx context.Context, p place, name string) (*compute.Operation, error) {
			return operation(getOperation(ctx, s, p, name))
		},
		autoscaler: func(ctx context.Context, p place, name string) (*compute.Autoscaler, error) {
			a, err := getAutoscaler(ctx, s, p, name)
			return a, named(err, "an autoscaler", func() bool { return a != nil && a.Name == name })
		},
		everywhere: func(ctx context.Context, project string, f func(*compute.InstanceGroupManagerAggregatedList) error) error {
			return s.InstanceGroupManagers.AggregatedList(project).MaxResults(perPage).Fields(discoveryFields).Pages(ctx, func(page *compute.InstanceGroupManagerAggregatedList) error {
				if page == nil || page.Kind == "" {
					return listed("")
				}
				return f(page)
			})
		},
	}
}

// operation is an answer to a request for a change, which has a name by which
// to follow it.
func operation(o *compute.Operation, err error) (*compute.Operation, error) {
	return o, named(err, "an operation", func() bool { return o != nil && o.Name != "" })
}

// named is err, or that what was decoded without one is not what it should be:
// {} of whoever else answers would be a group of 0 instances.
func named(err error, what string, is func() bool) error {
	if err == nil && !is() {
		return fmt.Errorf("HTTP status 200: the answer is not the description of %s", what)
	}
	return err
}

// listed is an error where an answer does not say what it is a list of: no
// group has gone because of it.
func listed(kind string) error {
	return named(nil, "a list of groups", func() bool { return kind != "" })
}
