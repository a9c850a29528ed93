package kubernetes

import (
	"context"
	"slices"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/alertscaler/alertscaler/scaler/target"
	"github.com/alertscaler/alertscaler/scaler/target/share"
)

// podsTarget is a workload of a kind whose pods can be told apart.
type podsTarget struct{ *workload }

var (
	_ target.Victims = podsTarget{}
	_ target.Closer  = podsTarget{}
)

// Replicas implements target.Victims. Which pods they are and in which order
// is at pods. A pod that the last ScaleDown named is not among them while there
// are more pods than requested, as it will go.
func (p podsTarget) Replicas(ctx context.Context) (target.Replicas, error) {
	ctx, op := share.Note(ctx), "list the replicas of "+p.what
	_, sc, requested, err := p.read(ctx, op)
	if err != nil {
		return target.Replicas{}, err
	}
	pods, err := p.pods(ctx, op, sc)
	if err != nil {
		return target.Replicas{}, err
	}
	rs := target.Replicas{Fixed: p.fixed(), UnreadyFirst: !p.fixed(), Label: "pod"}
	leaving := going(pods, requested)
	for _, pod := range pods {
		if !slices.Contains(leaving, pod) {
			rs.List = append(rs.List, replica(pod))
		}
	}
	return rs, nil
}

// ScaleDown implements target.Victims. It marks the victims, see mark, and then
// does what Scale does. The controller goes by the marks among pods that are
// Ready; those that are not go before them. Marks of earlier calls that came to
// nothing are taken back first; after a call that failed they stay until the
// next one.
func (p podsTarget) ScaleDown(ctx context.Context, desired int, victims []string) error {
	return p.change(ctx, desired, func(ctx context.Context, op string, sc scaleObject, requested int) error {
		if p.fixed() || desired > requested {
			return nil
		}
		pods, err := p.pods(ctx, op, sc)
		if err != nil {
			return err
		}
		marks := going(pods, requested)
		for _, id := range victims {
			if i := slices.IndexFunc(pods, func(pod *unstructured.Unstructured) bool { return pod.GetName() == id }); i >= 0 &&
				!slices.Contains(marks, pods[i]) && len(marks) < len(pods)-desired {
				marks = append(marks, pods[i])
			}
		}
		return p.mark(ctx, op, pods, marks)
	})
}

// going returns the pods that an earlier ScaleDown marked and that the
// controller, which has not carried it out yet, is about to delete: there are so
// many more than requested. The first one goes first. pods are in order.
func going(pods []*unstructured.Unstructured, requested int) []*unstructured.Unstructured {
	var marked []*unstructured.Unstructured
	for _, pod := range pods {
		if _, ok := pod.GetAnnotations()[markAnnotation]; ok {
			marked = append(marked, pod)
		}
	}
	return marked[:max(0, min(len(marked), len(pods)-requested))]
}
