package aliyun

import (
	"cmp"
	"context"
	"net/http"
	"slices"

	"github.com/alibabacloud-go/darabonba-openapi/v2/utils"
	ess "github.com/alibabacloud-go/ess-20220222/v2/client"
	"github.com/alibabacloud-go/tea/dara"

	"github.com/alertscaler/alertscaler/scaler/target/share"
)

const (
	// idsPerCall is how many IDs one call may name.
	idsPerCall = 20
	// perPage is the largest page of groups, activities and tasks.
	perPage = 50
	// instancesPerPage is the largest page of instances.
	instancesPerPage = 100
)

// service is the API of Auto Scaling in one account and region. Its methods are
// safe for concurrent use, make one attempt each, and return raw errors for
// failure.
type service struct {
	region string
	http   *http.Client
	keys   *keyring
	// cfg is what a client is made of, one for each call: a call writes to its
	// client. A field of the client's type would keep all of its methods in the
	// program, several megabytes of requests that nobody makes.
	cfg utils.Config
}

func newService(a Access, client *http.Client) (*service, error) {
	w := newWire(client)
	keys, err := newKeyring(a, w)
	if err != nil {
		return nil, err
	}
	s := &service{region: a.Region, http: w.Client, keys: keys, cfg: utils.Config{
		RegionId: new(a.Region), Protocol: new(a.Protocol), UserAgent: new("alertscaler"), HttpClient: w,
		// Nil is one attempt, whatever comes of it.
		RetryOptions: nil,
	}}
	if a.Endpoint != "" {
		s.cfg.Endpoint = new(a.Endpoint)
	}
	return s, new(ess.Client).Init(&s.cfg)
}

// call makes one call to the API. It is not generic: whatever is a type argument
// counts as used, as is what it is made of.
func (s *service) call(ctx context.Context, action string, do func(context.Context, *ess.Client, *dara.RuntimeOptions) error) error {
	who, err := s.keys.get(ctx)
	if err != nil {
		return err
	}
	cfg, sdk := s.cfg, new(ess.Client)
	cfg.Credential = who
	if err := sdk.Init(&cfg); err != nil {
		return err
	}
	// Typed errors, and not their texts in one of no type.
	sdk.Client.DisableSDKError = new(true)
	ctx = share.Note(ctx)
	if err := do(ctx, sdk, new(dara.RuntimeOptions)); err != nil {
		return newCallError(ctx, action, err)
	}
	return nil
}

// answered makes an error of a success that does not look like one: a proxy's
// page must not be taken for a region without groups.
func answered(action string, requestID *string) error {
	if value(requestID) == "" {
		return &callError{action: action, status: http.StatusOK, err: errNoAnswer}
	}
	return nil
}

// groupsByID describes the groups that there are of these.
func (s *service) groupsByID(ctx context.Context, ids []string) ([]scalingGroup, error) {
	var out []scalingGroup
	for part := range slices.Chunk(ids, idsPerCall) {
		groups, _, err := s.groupsPage(ctx, &ess.DescribeScalingGroupsRequest{ScalingGroupIds: pointers(part)}, 1)
		if err != nil {
			return nil, err
		}
		out = append(out, groups...)
	}
	return out, nil
}

// allGroups describes all groups of the region. While others come and go, one
// may be missing.
func (s *service) allGroups(ctx context.Context) ([]scalingGroup, error) {
	var out []scalingGroup
	for page := 1; ; page++ {
		groups, total, err := s.groupsPage(ctx, new(ess.DescribeScalingGroupsRequest), page)
		if err != nil {
			return nil, err
		}
		out = append(out, groups...)
		if len(groups) == 0 || page*perPage >= total {
			return out, nil
		}
	}
}

func (s *service) groupsPage(ctx context.Context, req *ess.DescribeScalingGroupsRequest, page int) ([]scalingGroup, int, error) {
	const action = "DescribeScalingGroups"
	req.RegionId, req.PageSize, req.PageNumber = &s.region, new(int32(perPage)), new(int32(page))
	var resp *ess.DescribeScalingGroupsResponse
	err := s.call(ctx, action, func(ctx context.Context, sdk *ess.Client, o *dara.RuntimeOptions) (err error) {
		resp, err = sdk.DescribeScalingGroupsWithContext(ctx, req, o)
		return err
	})
	if err != nil {
		return nil, 0, err
	}
	body := cmp.Or(resp.Body, new(ess.DescribeScalingGroupsResponseBody))
	if err := answered(action, body.RequestId); err != nil {
		return nil, 0, err
	}
	out := make([]scalingGroup, 0, len(body.ScalingGroups))
	for _, g := range body.ScalingGroups {
		out = append(out, groupOf(g))
	}
	return out, int(value(body.TotalCount)), nil
}

// activitiesByID describes the activities that there are of these, by ID.
func (s *service) activitiesByID(ctx context.Context, ids []string) (map[string]activity, error) {
	out := make(map[string]activity, len(ids))
	for part := range slices.Chunk(ids, idsPerCall) {
		found, err := s.activities(ctx, &ess.DescribeScalingActivitiesRequest{ScalingActivityIds: pointers(part)})
		if err != nil {
			return nil, err
		}
		for _, a := range found {
			out[a.id] = a
		}
	}
	return out, nil
}

// lastActivities describes the last activities of a group, the newest first.
func (s *service) lastActivities(ctx context.Context, group string) ([]activity, error) {
	return s.activities(ctx, &ess.DescribeScalingActivitiesRequest{ScalingGroupId: &group})
}

func (s *service) activities(ctx context.Context, req *ess.DescribeScalingActivitiesRequest) ([]activity, error) {
	const action = "DescribeScalingActivities"
	req.RegionId, req.PageSize, req.PageNumber = &s.region, new(int32(perPage)), new(int32(1))
	var resp *ess.DescribeScalingActivitiesResponse
	err := s.call(ctx, action, func(ctx context.Context, sdk *ess.Client, o *dara.RuntimeOptions) (err error) {
		resp, err = sdk.DescribeScalingActivitiesWithContext(ctx, req, o)
		return err
	})
	if err != nil {
		return nil, err
	}
	body := cmp.Or(resp.Body, new(ess.DescribeScalingActivitiesResponseBody))
	if err := answered(action, body.RequestId); err != nil {
		return nil, err
	}
	out := make([]activity, 0, len(body.ScalingActivities))
	for _, a := range body.ScalingActivities {
		out = append(out, activityOf(a))
	}
	return out, nil
}

// instances describes all instances of a group.
func (s *service) instances(ctx context.Context, group string) ([]instance, error) {
	const action = "DescribeScalingInstances"
	var out []instance
	for page := 1; ; page++ {
		req := &ess.DescribeScalingInstancesRequest{
			RegionId: &s.region, ScalingGroupId: &group, PageSize: new(int32(instancesPerPage)), PageNumber: new(int32(page)),
		}
		var resp *ess.DescribeScalingInstancesResponse
		err := s.call(ctx, action, func(ctx context.Context, sdk *ess.Client, o *dara.RuntimeOptions) (err error) {
			resp, err = sdk.DescribeScalingInstancesWithContext(ctx, req, o)
			return err
		})
		if err != nil {
			return nil, err
		}
		body := cmp.Or(resp.Body, new(ess.DescribeScalingInstancesResponseBody))
		if err := answered(action, body.RequestId); err != nil {
			return nil, err
		}
		for _, i := range body.ScalingInstances {
			out = append(out, instanceOf(i))
		}
		if len(body.ScalingInstances) == 0 || page*instancesPerPage >= int(value(body.TotalCount)) {
			return out, nil
		}
	}
}

// scalers names the event-triggered tasks of the region that are enabled and
// change a number, by group.
func (s *service) scalers(ctx context.Context) (map[string][]string, error) {
	const action = "DescribeAlarms"
	out := make(map[string][]string)
	for page := 1; ; page++ {
		req := &ess.DescribeAlarmsRequest{
			RegionId: &s.region, IsEnable: new(true), PageSize: new(int32(perPage)), PageNumber: new(int32(page)),
		}
		var resp *ess.DescribeAlarmsResponse
		err := s.call(ctx, action, func(ctx context.Context, sdk *ess.Client, o *dara.RuntimeOptions) (err error) {
			resp, err = sdk.DescribeAlarmsWithContext(ctx, req, o)
			return err
		})
		if err != nil {
			return nil, err
		}
		body := cmp.Or(resp.Body, new(ess.DescribeAlarmsResponseBody))
		if err := answered(action, body.RequestId); err != nil {
			return nil, err
		}
		for _, a := range body.AlarmList {
			// One without a rule only tells people.
			if value(a.Enable) && len(a.AlarmActions) > 0 {
				group := value(a.ScalingGroupId)
				out[group] = append(out[group], cmp.Or(value(a.Name), value(a.AlarmTaskId)))
			}
		}
		if len(body.AlarmList) == 0 || page*perPage >= int(value(body.TotalCount)) {
			return out, nil
		}
	}
}

// tagged returns the IDs of the groups that have a tag, whatever its value.
func (s *service) tagged(ctx context.Context, key string) ([]string, error) {
	const action = "ListTagResources"
	var out []string
	var next *string
	for {
		req := &ess.ListTagResourcesRequest{
			RegionId: &s.region, ResourceType: new("scalinggroup"), NextToken: next,
			Tags: []*ess.ListTagResourcesRequestTags{{Key: &key}},
		}
		var resp *ess.ListTagResourcesResponse
		err := s.call(ctx, action, func(ctx context.Context, sdk *ess.Client, o *dara.RuntimeOptions) (err error) {
			resp, err = sdk.ListTagResourcesWithContext(ctx, req, o)
			return err
		})
		if err != nil {
			return nil, err
		}
		body := cmp.Or(resp.Body, new(ess.ListTagResourcesResponseBody))
		if err := answered(action, body.RequestId); err != nil {
			return nil, err
		}
		for _, r := range body.TagResources {
			out = append(out, value(r.ResourceId))
		}
		if next = body.NextToken; value(next) == "" {
			slices.Sort(out)
			return slices.Compact(out), nil
		}
	}
}

// setExpected sets the expected number of instances of a group that has one.
func (s *service) setExpected(ctx context.Context, group string, n int) error {
	const action = "ModifyScalingGroup"
	req := &ess.ModifyScalingGroupRequest{
		ScalingGroupId: &group, DesiredCapacity: new(int32(n)),
	}
	var resp *ess.ModifyScalingGroupResponse
	err := s.call(ctx, action, func(ctx context.Context, sdk *ess.Client, o *dara.RuntimeOptions) (err error) {
		resp, err = sdk.ModifyScalingGroupWithContext(ctx, req, o)
		return err
	})
	if err != nil {
		return err
	}
	return answered(action, cmp.Or(resp.Body, new(ess.ModifyScalingGroupResponseBody)).RequestId)
}

// scaleTo starts the activity that brings a group to a number, and returns its
// ID. The same token starts it once.
func (s *service) scaleTo(ctx context.Context, group string, n int, token string) (string, error) {
	const action = "ScaleWithAdjustment"
	req := &ess.ScaleWithAdjustmentRequest{
		ScalingGroupId: &group, AdjustmentType: new("TotalCapacity"), AdjustmentValue: new(int32(n)), ClientToken: &token,
	}
	var resp *ess.ScaleWithAdjustmentResponse
	err := s.call(ctx, action, func(ctx context.Context, sdk *ess.Client, o *dara.RuntimeOptions) (err error) {
		resp, err = sdk.ScaleWithAdjustmentWithContext(ctx, req, o)
		return err
	})
	if err != nil {
		return "", err
	}
	body := cmp.Or(resp.Body, new(ess.ScaleWithAdjustmentResponseBody))
	return value(body.ScalingActivityId), answered(action, body.ScalingActivityId)
}

// remove starts the activity that removes these instances, idsPerCall at most,
// and lowers the expected number by as many where there is one. It returns the
// activity's ID. The same token starts it once.
func (s *service) remove(ctx context.Context, group string, ids []string, policy, token string) (string, error) {
	const action = "RemoveInstances"
	req := &ess.RemoveInstancesRequest{
		RegionId: &s.region, ScalingGroupId: &group, InstanceIds: pointers(ids), RemovePolicy: &policy,
		DecreaseDesiredCapacity: new(true), ClientToken: &token,
	}
	var resp *ess.RemoveInstancesResponse
	err := s.call(ctx, action, func(ctx context.Context, sdk *ess.Client, o *dara.RuntimeOptions) (err error) {
		resp, err = sdk.RemoveInstancesWithContext(ctx, req, o)
		return err
	})
	if err != nil {
		return "", err
	}
	body := cmp.Or(resp.Body, new(ess.RemoveInstancesResponseBody))
	return value(body.ScalingActivityId), answered(action, body.ScalingActivityId)
}

// value is what p points at, or zero.
func value[T any](p *T) (v T) {
	if p != nil {
		v = *p
	}
	return v
}

func values[T any](ps []*T) []T {
	out := make([]T, len(ps))
	for i, p := range ps {
		out[i] = value(p)
	}
	return out
}

func pointers[T any](vs []T) []*T {
	out := make([]*T, len(vs))
	for i := range vs {
		out[i] = &vs[i]
	}
	return out
}
