package gcp

import (
	"cmp"
	"context"
	"fmt"

	compute "google.golang.org/api/compute/v1"
	"google.golang.org/api/googleapi"
)

// place is a zone or a region of a project. The two have resources of their
// own in the API, with the same methods; this is where they are told apart.
type place struct{ project, zone, region string }

// location is the name of the zone or region.
func (p place) location() string { return cmp.Or(p.zone, p.region) }

// group is the full name of a group: projects/shop/zones/europe-west1-b/web.
func (p place) group(name string) string {
	if p.zone != "" {
		return fmt.Sprintf("projects/%s/zones/%s/%s", p.project, p.zone, name)
	}
	return fmt.Sprintf("projects/%s/regions/%s/%s", p.project, p.region, name)
}

// What is asked for of groups and of their instances; the rest is never sent.
const (
	groupFields    = "name,targetSize,targetStoppedSize,targetSuspendedSize,currentActions,autoHealingPolicies/healthCheck,status(isStable,autoscaler)"
	instanceFields = "nextPageToken,managedInstances(id,name,instance,instanceStatus,currentAction,instanceHealth/detailedHealthState,lastAttempt/errors/errors(code,message))"
)

const discoveryFields = "kind,nextPageToken,items/*(instanceGroupManagers(name,allInstancesConfig/properties),warning(code,message))"

// perPage is the most that the API gives at once.
const perPage = 500

func getGroup(ctx context.Context, s *compute.Service, p place, name string) (*compute.InstanceGroupManager, error) {
	if p.zone != "" {
		return s.InstanceGroupManagers.Get(p.project, p.zone, name).Fields(groupFields).Context(ctx).Do()
	}
	return s.RegionInstanceGroupManagers.Get(p.project, p.region, name).Fields(groupFields).Context(ctx).Do()
}

// listGroups lists the groups of the place, all pages.
func listGroups(ctx context.Context, s *compute.Service, p place) ([]*compute.InstanceGroupManager, error) {
	var out []*compute.InstanceGroupManager
	fields := googleapi.Field("kind,nextPageToken,items(" + groupFields + ")")
	if p.zone != "" {
		err := s.InstanceGroupManagers.List(p.project, p.zone).MaxResults(perPage).Fields(fields).
			Pages(ctx, func(l *compute.InstanceGroupManagerList) error {
				if l == nil {
					return listed("")
				}
				out = append(out, l.Items...)
				return listed(l.Kind)
			})
		return out, err
	}
	err := s.RegionInstanceGroupManagers.List(p.project, p.region).MaxResults(perPage).Fields(fields).
		Pages(ctx, func(l *compute.RegionInstanceGroupManagerList) error {
			if l == nil {
				return listed("")
			}
			out = append(out, l.Items...)
			return listed(l.Kind)
		})
	return out, err
}

// listInstances lists the instances that a group manages, all pages. A group
// whose listManagedInstancesResults is PAGELESS answers with all at once.
func listInstances(ctx context.Context, s *compute.Service, p place, name string) ([]*compute.ManagedInstance, error) {
	var out []*compute.ManagedInstance
	if p.zone != "" {
		err := s.InstanceGroupManagers.ListManagedInstances(p.project, p.zone, name).MaxResults(perPage).Fields(instanceFields).
			Pages(ctx, func(l *compute.InstanceGroupManagersListManagedInstancesResponse) error {
				if l == nil {
					return listed("")
				}
				out = append(out, l.ManagedInstances...)
				return nil
			})
		return out, err
	}
	err := s.RegionInstanceGroupManagers.ListManagedInstances(p.project, p.region, name).MaxResults(perPage).Fields(instanceFields).
		Pages(ctx, func(l *compute.RegionInstanceGroupManagersListInstancesResponse) error {
			if l == nil {
				return listed("")
			}
			out = append(out, l.ManagedInstances...)
			return nil
		})
	return out, err
}

func resize(ctx context.Context, s *compute.Service, p place, name string, size int64, requestID string) (*compute.Operation, error) {
	if p.zone != "" {
		return s.InstanceGroupManagers.Resize(p.project, p.zone, name, size).RequestId(requestID).Context(ctx).Do()
	}
	return s.RegionInstanceGroupManagers.Resize(p.project, p.region, name, size).RequestId(requestID).Context(ctx).Do()
}

// deleteInstances deletes instances and lowers the target size by as many. One
// that is not the group's, or is on its way out already, fails all of it: the
// size must not fall for somebody who would have gone anyway.
func deleteInstances(ctx context.Context, s *compute.Service, p place, name string, instances []string, requestID string) (*compute.Operation, error) {
	if p.zone != "" {
		req := &compute.InstanceGroupManagersDeleteInstancesRequest{
			Instances: instances, ForceSendFields: []string{"SkipInstancesOnValidationError"},
		}
		return s.InstanceGroupManagers.DeleteInstances(p.project, p.zone, name, req).RequestId(requestID).Context(ctx).Do()
	}
	req := &compute.RegionInstanceGroupManagersDeleteInstancesRequest{
		Instances: instances, ForceSendFields: []string{"SkipInstancesOnValidationError"},
	}
	return s.RegionInstanceGroupManagers.DeleteInstances(p.project, p.region, name, req).RequestId(requestID).Context(ctx).Do()
}

const operationFields = "name,status,error"

func getOperation(ctx context.Context, s *compute.Service, p place, name string) (*compute.Operation, error) {
	if p.zone != "" {
		return s.ZoneOperations.Get(p.project, p.zone, name).Fields(operationFields).Context(ctx).Do()
	}
	return s.RegionOperations.Get(p.project, p.region, name).Fields(operationFields).Context(ctx).Do()
}

func getAutoscaler(ctx context.Context, s *compute.Service, p place, name string) (*compute.Autoscaler, error) {
	const fields = "name,autoscalingPolicy/mode"
	if p.zone != "" {
		return s.Autoscalers.Get(p.project, p.zone, name).Fields(fields).Context(ctx).Do()
	}
	return s.RegionAutoscalers.Get(p.project, p.region, name).Fields(fields).Context(ctx).Do()
}
