package kubernetes

import (
	"context"
	"encoding/json"
	"math"
	"slices"
	"strconv"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"

	"github.com/alertscaler/alertscaler/scaler/target"
	"github.com/alertscaler/alertscaler/scaler/target/share"
)

const (
	// costAnnotation is Kubernetes' own: of pods that serve alike, its
	// controller of ReplicaSets deletes those of the lowest cost first. Absent
	// is 0.
	costAnnotation = "controller.kubernetes.io/pod-deletion-cost"
	// markAnnotation is on pods whose cost is ours, and has the cost that they
	// had before, empty for none.
	markAnnotation = "alertscaler.io/victim"

	// knownAfter is how long the number waits for the marks. The controller
	// watches pods and workloads apart from each other, and where the number
	// comes to it first, as it did one time in thirty on a busy machine, it
	// deletes without the marks.
	knownAfter = 250 * time.Millisecond
)

// podsTarget is a workload of a kind whose pods can be told apart.
type podsTarget struct{ *workload }

var (
	_ target.Victims = podsTarget{}
	_ target.Closer  = podsTarget{}
)

// Replicas implements target.Victims, see pods. A pod that the last ScaleDown
// named is not among them while there are more than requested, as it will go.
func (p podsTarget) Replicas(ctx context.Context) (target.Replicas, error) {
	ctx, op := share.Note(ctx), "list the replicas of "+p.what
	sc, err := p.read(ctx, op)
	if err != nil {
		return target.Replicas{}, err
	}
	pods, err := p.pods(ctx, op, sc)
	if err != nil {
		return target.Replicas{}, err
	}
	rs := target.Replicas{Fixed: p.fixed(), UnreadyFirst: !p.fixed(), Label: "pod"}
	leaving := going(pods, sc.requested)
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
	return p.change(ctx, desired, func(ctx context.Context, op string, sc scaleObject) error {
		if p.fixed() || desired > sc.requested {
			return nil
		}
		pods, err := p.pods(ctx, op, sc)
		if err != nil {
			return err
		}
		marks := going(pods, sc.requested)
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

// mark gives the marked pods costs below those of all the others, the first one
// the lowest, and the others the cost again that they had before their mark. Pods
// that are as they should be are left alone, and those that are gone meanwhile.
// It returns once the controller may be expected to know.
func (w *workload) mark(ctx context.Context, op string, pods, marked []*unstructured.Unstructured) error {
	lowest := int64(0)
	for _, pod := range pods {
		if !slices.Contains(marked, pod) {
			before, _ := unmarked(pod)
			lowest = min(lowest, parseCost(before))
		}
	}
	changed := false
	for _, pod := range pods {
		before, was := unmarked(pod)
		i := slices.Index(marked, pod)
		var want map[string]any
		switch {
		case i >= 0:
			c := max(lowest-int64(len(marked)-i), math.MinInt32)
			if was && cost(pod) == c {
				continue
			}
			want = map[string]any{costAnnotation: strconv.FormatInt(c, 10), markAnnotation: before}
		case was && before == "":
			want = map[string]any{costAnnotation: nil, markAnnotation: nil}
		case was:
			want = map[string]any{costAnnotation: before, markAnnotation: nil}
		default:
			continue
		}
		if err := w.annotate(ctx, op, pod.GetName(), want); err != nil {
			return err
		}
		changed = true
	}
	if !changed {
		return nil
	}
	select {
	case <-ctx.Done():
		return failure(ctx, op, ctx.Err())
	case <-time.After(knownAfter):
		return nil
	}
}

// annotate sets annotations of a pod, and removes those that are nil.
func (w *workload) annotate(ctx context.Context, op, pod string, annotations map[string]any) error {
	patch, err := json.Marshal(map[string]any{"metadata": map[string]any{"annotations": annotations}})
	if err == nil {
		_, err = w.cluster.objects.Resource(podsResource).Namespace(w.namespace).
			Patch(ctx, pod, types.MergePatchType, patch, metav1.PatchOptions{FieldManager: fieldManager})
	}
	if err != nil && !apierrors.IsNotFound(err) {
		return failure(ctx, op+": mark which pods are to go", err)
	}
	return nil
}

// unmarked is a pod's cost as others gave it, empty for none; was says that the
// pod is marked.
func unmarked(pod *unstructured.Unstructured) (cost string, was bool) {
	annotations := pod.GetAnnotations()
	if before, ok := annotations[markAnnotation]; ok {
		return before, true
	}
	return annotations[costAnnotation], false
}

// cost is what the controller goes by.
func cost(pod *unstructured.Unstructured) int64 {
	return parseCost(pod.GetAnnotations()[costAnnotation])
}

// parseCost reads a cost; what is none is 0, as it is for the controller.
func parseCost(s string) int64 {
	n, err := strconv.ParseInt(s, 10, 32)
	if err != nil {
		return 0
	}
	return n
}
