package gcp

import (
	"context"
	"fmt"
	"slices"

	compute "google.golang.org/api/compute/v1"
	"google.golang.org/api/googleapi"
)

// api is what is called of the Compute Engine API. Lists are all pages.
//
// It is made of functions, and no type that a target can be seen to have leads
// to compute.Service. The linker would keep every method of every resource of
// Compute Engine for whoever might look them up by name: 11 MB.
type api struct {
	group  func(ctx context.Context, k groupKey) (*compute.InstanceGroupManager, error)
	groups func(ctx context.Context, p place) ([]*compute.InstanceGroupManager, error)
	// instances are those that a group manages. A group whose
	// listManagedInstancesResults is PAGELESS answers with all at once.
	instances func(ctx context.Context, k groupKey) ([]*compute.ManagedInstance, error)
	resize    func(ctx context.Context, k groupKey, size int64, requestID string) (*compute.Operation, error)
	// deleteInstances deletes instances and lowers the target size by as many.
	// One that is not the group's, or is on its way out already, fails all of
	// it: the size must not fall for somebody who would have gone anyway.
	deleteInstances func(ctx context.Context, k groupKey, instances []string, requestID string) (*compute.Operation, error)
	operation       func(ctx context.Context, p place, name string) (*compute.Operation, error)
	autoscaler      func(ctx context.Context, p place, name string) (*compute.Autoscaler, error)
	// everywhere calls f with each page of the groups of a project.
	everywhere func(ctx context.Context, project string, f func(*compute.InstanceGroupManagerAggregatedList) error) error
}

// What is asked for of each; the rest is never sent.
const (
	groupFields      = "name,targetSize,targetStoppedSize,targetSuspendedSize,currentActions,autoHealingPolicies/healthCheck,status(isStable,autoscaler)"
	groupsFields     = "kind,nextPageToken,items(" + groupFields + ")"
	instanceFields   = "nextPageToken,managedInstances(id,name,instance,instanceStatus,currentAction,instanceHealth/detailedHealthState,lastAttempt/errors/errors(code,message))"
	operationFields  = "name,status,error"
	autoscalerFields = "name,autoscalingPolicy/mode"
	everywhereFields = "kind,nextPageToken,items/*(instanceGroupManagers(name,allInstancesConfig/properties),warning(code,message))"
)

// perPage is the most that the API gives at once.
const perPage = 500

// newAPI returns the calls of a service.
func newAPI(s *compute.Service) api {
	zones, regions := s.InstanceGroupManagers, s.RegionInstanceGroupManagers
	return api{
		group: func(ctx context.Context, k groupKey) (*compute.InstanceGroupManager, error) {
			m, err := in(k.place,
				zones.Get(k.project, k.zone, k.name).Fields(groupFields).Context(ctx).Do,
				regions.Get(k.project, k.region, k.name).Fields(groupFields).Context(ctx).Do)
			return m, named(err, "a group", m != nil && m.Name == k.name)
		},
		groups: func(ctx context.Context, p place) (out []*compute.InstanceGroupManager, err error) {
			if p.zone != "" {
				list := zones.List(p.project, p.zone).MaxResults(perPage).Fields(groupsFields)
				err = list.Pages(ctx, into(&out, func(l *compute.InstanceGroupManagerList) ([]*compute.InstanceGroupManager, bool) {
					return l.Items, l.Kind != ""
				}))
			} else {
				list := regions.List(p.project, p.region).MaxResults(perPage).Fields(groupsFields)
				err = list.Pages(ctx, into(&out, func(l *compute.RegionInstanceGroupManagerList) ([]*compute.InstanceGroupManager, bool) {
					return l.Items, l.Kind != ""
				}))
			}
			nameless := func(m *compute.InstanceGroupManager) bool { return m == nil || m.Name == "" }
			return out, named(err, "a list of groups", !slices.ContainsFunc(out, nameless))
		},
		instances: func(ctx context.Context, k groupKey) (out []*compute.ManagedInstance, err error) {
			if k.zone != "" {
				list := zones.ListManagedInstances(k.project, k.zone, k.name).MaxResults(perPage).Fields(instanceFields)
				err = list.Pages(ctx, into(&out, func(l *compute.InstanceGroupManagersListManagedInstancesResponse) ([]*compute.ManagedInstance, bool) {
					return l.ManagedInstances, true
				}))
			} else {
				list := regions.ListManagedInstances(k.project, k.region, k.name).MaxResults(perPage).Fields(instanceFields)
				err = list.Pages(ctx, into(&out, func(l *compute.RegionInstanceGroupManagersListInstancesResponse) ([]*compute.ManagedInstance, bool) {
					return l.ManagedInstances, true
				}))
			}
			return out, err
		},
		resize: func(ctx context.Context, k groupKey, size int64, requestID string) (*compute.Operation, error) {
			return operation(in(k.place,
				zones.Resize(k.project, k.zone, k.name, size).RequestId(requestID).Context(ctx).Do,
				regions.Resize(k.project, k.region, k.name, size).RequestId(requestID).Context(ctx).Do))
		},
		deleteInstances: func(ctx context.Context, k groupKey, instances []string, requestID string) (*compute.Operation, error) {
			all := []string{"SkipInstancesOnValidationError"} // false is sent
			zonal := &compute.InstanceGroupManagersDeleteInstancesRequest{Instances: instances, ForceSendFields: all}
			regional := &compute.RegionInstanceGroupManagersDeleteInstancesRequest{Instances: instances, ForceSendFields: all}
			return operation(in(k.place,
				zones.DeleteInstances(k.project, k.zone, k.name, zonal).RequestId(requestID).Context(ctx).Do,
				regions.DeleteInstances(k.project, k.region, k.name, regional).RequestId(requestID).Context(ctx).Do))
		},
		operation: func(ctx context.Context, p place, name string) (*compute.Operation, error) {
			return operation(in(p,
				s.ZoneOperations.Get(p.project, p.zone, name).Fields(operationFields).Context(ctx).Do,
				s.RegionOperations.Get(p.project, p.region, name).Fields(operationFields).Context(ctx).Do))
		},
		autoscaler: func(ctx context.Context, p place, name string) (*compute.Autoscaler, error) {
			a, err := in(p,
				s.Autoscalers.Get(p.project, p.zone, name).Fields(autoscalerFields).Context(ctx).Do,
				s.RegionAutoscalers.Get(p.project, p.region, name).Fields(autoscalerFields).Context(ctx).Do)
			return a, named(err, "an autoscaler", a != nil && a.Name == name)
		},
		everywhere: func(ctx context.Context, project string, f func(*compute.InstanceGroupManagerAggregatedList) error) error {
			return zones.AggregatedList(project).MaxResults(perPage).Fields(everywhereFields).Pages(ctx, func(page *compute.InstanceGroupManagerAggregatedList) error {
				if page == nil || page.Kind == "" {
					return errNoList
				}
				return f(page)
			})
		},
	}
}

// in makes the call for a zone or that for a region. The two have resources of
// their own in the API, with the same methods.
func in[T any](p place, zonal, regional func(...googleapi.CallOption) (*T, error)) (*T, error) {
	if p.zone != "" {
		return zonal()
	}
	return regional()
}

// into returns a function that adds the items of each page of a list to out. An
// answer that is no such page is an error.
func into[Page, Item any](out *[]Item, read func(*Page) (items []Item, is bool)) func(*Page) error {
	return func(page *Page) error {
		if page == nil {
			return errNoList
		}
		items, is := read(page)
		*out = append(*out, items...)
		return named(nil, "a list of groups", is)
	}
}

// errNoList says that an answer is no list of groups: none has gone because of
// it.
var errNoList = named(nil, "a list of groups", false)

// operation is an answer to a request for a change, which has a name by which
// to follow it.
func operation(o *compute.Operation, err error) (*compute.Operation, error) {
	return o, named(err, "an operation", o != nil && o.Name != "")
}

// named is err, or that what was decoded without one is not what it should be:
// {} of whoever else answers would be a group of 0 instances.
func named(err error, what string, is bool) error {
	if err == nil && !is {
		return fmt.Errorf("HTTP status 200: the answer is not the description of %s", what)
	}
	return err
}
