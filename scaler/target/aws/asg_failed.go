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
	"github.com/alertscaler/alertscaler/scaler/target/share"
)

// activitiesEvery bounds how often a group that lacks instances is asked why.
const activitiesEvery = 5 * time.Second

// failed is why AWS does not launch what it was last asked for by this target,
// nil where it does. AWS goes on trying, in this zone and in others; it counts
// as failed once nothing better came after a failed launch for a while.
func (t *asgTarget) failed(ctx context.Context, op string, g *group) (failure, err error) {
	last := t.lastRequest()
	if last.at.IsZero() || last.desired != g.requested() || g.count(wanted) >= g.requested() {
		return nil, nil
	}
	if failure, err = t.failures.Get(ctx, last, time.Time{}); err != nil {
		return nil, t.failure(ctx, op+": read its scaling activities", err)
	}
	return failure, nil
}

// launchFailure is the latest failure of a launch that began since the request
// and failed a while ago, if none succeeded after it. AWS has neither a code nor
// a type for what an activity was and why it failed, only texts; this is the one
// place that goes by them.
func (t *asgTarget) launchFailure(ctx context.Context, last request) (failure, err error) {
	since := types.Filter{Name: new("StartTimeLowerBound"), Values: []string{last.served.UTC().Format(time.RFC3339)}}
	out, err := t.api.autoscaling.describeActivities(ctx, &autoscaling.DescribeScalingActivitiesInput{
		AutoScalingGroupName: &t.name, Filters: []types.Filter{since},
	})
	if err != nil {
		return nil, err
	}
	before := servedAt(out.ResultMetadata, time.Now()).Add(-t.failureStands)
	for i := range out.Activities { // the latest first
		a := &out.Activities[i]
		switch {
		case a.EndTime == nil, share.Value(a.StartTime).Before(last.served), !strings.HasPrefix(share.Value(a.Description), "Launching"):
		case a.StatusCode != types.ScalingActivityStatusCodeFailed:
			return nil, nil
		case a.EndTime.After(before):
			// AWS tries again and again; what counts is how long it has.
		default:
			message := share.Value(a.StatusMessage)
			return target.Errorf(launchKind(message), "launch instances of group "+share.Value(a.AutoScalingGroupName), "%s", message), nil
		}
	}
	return nil, nil
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
		if k := codes[word]; k == target.KindQuota || k == target.KindUnauthorized {
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
