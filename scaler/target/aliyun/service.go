package aliyun

import (
	"cmp"
	"context"
	"errors"
	"maps"
	"net/http"
	"slices"

	ess "github.com/alibabacloud-go/ess-20220222/v2/client"
	"github.com/alibabacloud-go/tea/dara"
)

// idsPerCall is how many IDs one call may name.
const idsPerCall = 20

// service is the API of Auto Scaling in one account and region. Its methods are
// safe for concurrent use, make one attempt each, and return raw errors for
// failure.
type service struct {
	rpc
	region string
	http   *http.Client
}

func newService(a Access, client *http.Client) (*service, error) {
	w := newWire(client)
	keys, err := newKeyring(a, w)
	if err != nil {
		return nil, err
	}
	var sdk ess.Client // it knows where the service is, region by region
	err = sdk.Init(clientConfig(a, a.Endpoint, w))
	return &service{rpc{"2022-02-22", keys.get, sdk.Client}, a.Region, w.Client}, err
}

// list is an action that lists things, the key that they are under in its
// answer, and how many a page has at most.
type list struct {
	action, key string
	size        int
}

var (
	groups     = list{"DescribeScalingGroups", "ScalingGroups", 50}
	activities = list{"DescribeScalingActivities", "ScalingActivities", 50}
	instances  = list{"DescribeScalingInstances", "ScalingInstances", 100}
	alarms     = list{"DescribeAlarms", "AlarmList", 50}
)

// page reads one page, and how many things are on all pages together.
func page[T any](ctx context.Context, s *service, l list, number int, query map[string]any) (things []T, total int, err error) {
	query = maps.Clone(query)
	query["RegionId"], query["PageSize"], query["PageNumber"] = s.region, l.size, number
	body, err := s.call(ctx, l.action, query)
	if err != nil {
		return nil, 0, err
	}
	if err := errors.Join(dara.Convert(body["TotalCount"], &total), dara.Convert(body[l.key], &things)); err != nil {
		return nil, 0, &callError{action: l.action, status: http.StatusOK, err: err}
	}
	return things, total, nil
}

// pages reads all pages of a list. While things come and go, one may be missing.
func pages[T any](ctx context.Context, s *service, l list, query map[string]any) ([]T, error) {
	var out []T
	for number := 1; ; number++ {
		things, total, err := page[T](ctx, s, l, number, query)
		if err != nil {
			return nil, err
		}
		out = append(out, things...)
		if len(things) == 0 || number*l.size >= total {
			return out, nil
		}
	}
}

// byID reads those of some things of a list that there are.
func byID[T any](ctx context.Context, s *service, l list, name string, ids []string) ([]T, error) {
	var out []T
	for part := range slices.Chunk(ids, idsPerCall) {
		things, _, err := page[T](ctx, s, l, 1, map[string]any{name: part})
		if err != nil {
			return nil, err
		}
		out = append(out, things...)
	}
	return out, nil
}

// groupsByID describes the groups that there are of these.
func (s *service) groupsByID(ctx context.Context, ids []string) ([]scalingGroup, error) {
	return byID[scalingGroup](ctx, s, groups, "ScalingGroupIds", ids)
}

// allGroups describes all groups of the region.
func (s *service) allGroups(ctx context.Context) ([]scalingGroup, error) {
	return pages[scalingGroup](ctx, s, groups, map[string]any{})
}

// activitiesByID describes the activities that there are of these, by ID.
func (s *service) activitiesByID(ctx context.Context, ids []string) (map[string]activity, error) {
	found, err := byID[activity](ctx, s, activities, "ScalingActivityIds", ids)
	out := make(map[string]activity, len(ids))
	for _, a := range found {
		out[a.ID] = a
	}
	return out, err
}

// lastActivities describes the last activities of a group, the newest first.
func (s *service) lastActivities(ctx context.Context, group string) ([]activity, error) {
	out, _, err := page[activity](ctx, s, activities, 1, map[string]any{"ScalingGroupId": group})
	return out, err
}

// instances describes all instances of a group.
func (s *service) instances(ctx context.Context, group string) ([]instance, error) {
	return pages[instance](ctx, s, instances, map[string]any{"ScalingGroupId": group})
}

// scalers names the event-triggered tasks of the region that are enabled and
// change a number, by group.
func (s *service) scalers(ctx context.Context) (map[string][]string, error) {
	all, err := pages[alarm](ctx, s, alarms, map[string]any{"IsEnable": true})
	out := make(map[string][]string)
	for _, a := range all {
		// One without a rule only tells people.
		if a.Enable && len(a.AlarmActions) > 0 {
			out[a.ScalingGroupID] = append(out[a.ScalingGroupID], cmp.Or(a.Name, a.ID))
		}
	}
	return out, err
}

// taggedGroups describes the groups that have a tag, whatever its value.
func (s *service) taggedGroups(ctx context.Context, key string) ([]scalingGroup, error) {
	const action = "ListTagResources"
	query := map[string]any{
		"RegionId": s.region, "ResourceType": "scalinggroup", "Tags": []map[string]string{{"Key": key}},
	}
	var ids []string
	for {
		body, err := s.call(ctx, action, query)
		if err != nil {
			return nil, err
		}
		var resources []struct {
			ID string `json:"ResourceId"`
		}
		if err := dara.Convert(body["TagResources"], &resources); err != nil {
			return nil, &callError{action: action, status: http.StatusOK, err: err}
		}
		for _, r := range resources {
			ids = append(ids, r.ID)
		}
		if next := body["NextToken"]; next == nil || next == "" {
			slices.Sort(ids)
			return s.groupsByID(ctx, slices.Compact(ids))
		}
		query["NextToken"] = body["NextToken"]
	}
}

// setExpected sets the expected number of instances of a group that has one.
func (s *service) setExpected(ctx context.Context, group string, n int) error {
	_, err := s.call(ctx, "ModifyScalingGroup", map[string]any{"ScalingGroupId": group, "DesiredCapacity": n})
	return err
}

// scaleTo starts the activity that brings a group to a number, and returns its
// ID. The same token starts it once.
func (s *service) scaleTo(ctx context.Context, group string, n int, token string) (string, error) {
	return s.start(ctx, "ScaleWithAdjustment", map[string]any{
		"ScalingGroupId": group, "AdjustmentType": "TotalCapacity", "AdjustmentValue": n, "ClientToken": token,
	})
}

// remove starts the activity that removes these instances, idsPerCall at most,
// and lowers the expected number by as many where there is one. It returns the
// activity's ID. The same token starts it once.
func (s *service) remove(ctx context.Context, group string, ids []string, policy, token string) (string, error) {
	return s.start(ctx, "RemoveInstances", map[string]any{
		"RegionId": s.region, "ScalingGroupId": group, "InstanceIds": ids, "RemovePolicy": policy,
		"DecreaseDesiredCapacity": true, "ClientToken": token,
	})
}

// start makes a call that starts a scaling activity, and returns that one's ID.
func (s *service) start(ctx context.Context, action string, query map[string]any) (string, error) {
	body, err := s.call(ctx, action, query)
	if err != nil {
		return "", err
	}
	id, _ := body["ScalingActivityId"].(string)
	return id, answered(action, id)
}
