package aws

import (
	"context"
	"regexp"
	"slices"
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
	out, err := t.api.autoscaling.describeActivities(ctx, &autoscaling.DescribeScalingActivitiesInput{
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

// launchTexts are found in messages of launches that failed. What is not here
// counts as something that will not pass by itself; the target is left alone for
// as long as for want of quota.
var launchTexts = []struct {
	kind  target.Kind
	texts []string
}{
	{target.KindQuota, []string{
		// There are no more of them: of the type, in the zone, or of spot. That
		// of vCPUs is a limit of the account.
		"sufficient", "capacity", "vcpu limit", "already running", "spot request price",
		// Other limits of the account, and of a subnet.
		"instance limit", "instance count exceeded", "quota", "free addresses",
	}},
	{target.KindUnauthorized, []string{"not authorized", "authentication failure", "not subscribed"}},
}

// codeWord is a word as error codes are spelled.
var codeWord = regexp.MustCompile(`[A-Z][A-Za-z]+`)

// launchKind is the kind of what a failed launch says. Some messages have the
// code of EC2's own error in them, which then counts; the others are texts.
func launchKind(message string) target.Kind {
	for _, word := range codeWord.FindAllString(message, -1) {
		if k := kinds[word]; k == target.KindQuota || k == target.KindUnauthorized {
			return k
		}
	}
	message = strings.ToLower(message)
	for _, t := range launchTexts {
		if slices.ContainsFunc(t.texts, func(text string) bool { return strings.Contains(message, text) }) {
			return t.kind
		}
	}
	return target.KindPermanent
}
