package aws

import (
	"context"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/autoscaling"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling/types"

	"github.com/alertscaler/alertscaler/scaler/target"
)

// activitiesEvery bounds how often a group that lacks instances is asked why.
const activitiesEvery = 5 * time.Second

// failureSeen is what the activities said when they were last read.
type failureSeen struct {
	at  time.Time
	err error
}

// failed is why AWS does not launch what it was last asked for by this target,
// nil where it does. AWS goes on trying, in this zone and in others; it counts
// as failed once nothing better came after a failed launch for a while.
func (t *asgTarget) failed(ctx context.Context, op string, g *group) (error, error) {
	t.mu.Lock()
	last, seen := t.last, t.seen
	t.mu.Unlock()
	if last.at.IsZero() || last.desired != g.requested() || g.count(wanted) >= g.requested() {
		return nil, nil
	}
	if time.Since(seen.at) < activitiesEvery {
		return seen.err, nil
	}
	name, since := "StartTimeLowerBound", last.served.UTC().Format(time.RFC3339)
	out, err := t.autoscaling.DescribeScalingActivities(ctx, &autoscaling.DescribeScalingActivitiesInput{
		AutoScalingGroupName: &t.name,
		Filters:              []types.Filter{{Name: &name, Values: []string{since}}},
	})
	if err != nil {
		return nil, t.failure(ctx, op+": read its scaling activities", err)
	}
	now := servedAt(out.ResultMetadata, time.Now())
	seen = failureSeen{at: time.Now(), err: launchFailure(out.Activities, last.served, now.Add(-t.failureStands))}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.last == last {
		t.seen = seen
	}
	return seen.err, nil
}

// launchFailure is the latest failure of a launch that began since the request
// and failed by the moment given, if none succeeded after it. AWS has neither a
// code nor a type for what an activity was and why it failed, only texts; this
// is the one place that goes by them. Activities are the latest first.
func launchFailure(activities []types.Activity, since, before time.Time) error {
	for i := range activities {
		a := &activities[i]
		if a.EndTime == nil || value(a.StartTime).Before(since) || !strings.HasPrefix(value(a.Description), "Launching") {
			continue
		}
		if a.StatusCode != types.ScalingActivityStatusCodeFailed {
			return nil
		}
		if a.EndTime.After(before) {
			continue // AWS tries again and again; what counts is how long it has
		}
		message := value(a.StatusMessage)
		return target.Errorf(launchKind(message), "launch instances of group "+value(a.AutoScalingGroupName), "%s", message)
	}
	return nil
}

// launchTexts are found in messages of launches that fail for another reason
// than that there is no more to be had.
var launchTexts = []struct {
	text string
	kind target.Kind
}{
	{"not authorized", target.KindUnauthorized},
	{"authentication failure", target.KindUnauthorized},
	{"not subscribed", target.KindUnauthorized},
	{"does not exist", target.KindPermanent},
	{"not supported", target.KindPermanent},
	{"invalid", target.KindPermanent},
	{"valid fully-formed launch template", target.KindPermanent},
	{"client error on launch", target.KindPermanent},
}

// launchKind is quota unless it is clearly something else: of the many texts
// of "no capacity" and "limit" none may be missed.
func launchKind(message string) target.Kind {
	message = strings.ToLower(message)
	for _, t := range []string{"capacity", "limit", "quota"} {
		if strings.Contains(message, t) {
			return target.KindQuota
		}
	}
	for _, t := range launchTexts {
		if strings.Contains(message, t.text) {
			return t.kind
		}
	}
	return target.KindQuota
}
