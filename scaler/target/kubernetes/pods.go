package kubernetes

import (
	"cmp"
	"context"
	"iter"
	"slices"
	"strconv"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"

	"github.com/alertscaler/alertscaler/scaler/target"
	"github.com/alertscaler/alertscaler/scaler/target/share"
)

// perPage bounds one answer; there may be thousands of pods.
const perPage = 500

var (
	podsResource        = schema.GroupVersionResource{Version: "v1", Resource: "pods"}
	replicaSetsResource = schema.GroupVersionResource{Group: "apps", Version: "v1", Resource: "replicasets"}
)

// list goes through all of what the selector matches in the workload's namespace.
// With an error, which is of op, it ends.
func (w *workload) list(ctx context.Context, op string, what schema.GroupVersionResource, selector string) iter.Seq2[*unstructured.Unstructured, error] {
	return func(yield func(*unstructured.Unstructured, error) bool) {
		o := metav1.ListOptions{LabelSelector: selector, Limit: perPage}
		for {
			page, err := w.cluster.objects.Resource(what).Namespace(w.namespace).List(ctx, o)
			if err != nil {
				yield(nil, failure(ctx, op, err))
				return
			}
			for i := range page.Items {
				if !yield(&page.Items[i], nil) {
					return
				}
			}
			if o.Continue = page.GetContinue(); o.Continue == "" {
				return
			}
		}
	}
}

// pods returns the pods that the scale's selector matches and the workload
// controls, or one of its ReplicaSets for a Deployment, and that are neither going
// away nor finished. They are in the order in which the controller lets them go,
// see inOrder. During a rollout that holds only within one ReplicaSet: how many
// each of them loses is the Deployment's controller's to say.
func (w *workload) pods(ctx context.Context, op string, sc scaleObject) ([]*unstructured.Unstructured, error) {
	if sc.selector == "" {
		return nil, target.Errorf(target.KindTemporary, op, "its scale has no selector, so nobody knows which pods are its own")
	}
	owners := map[types.UID]bool{sc.GetUID(): true}
	if w.gvk.Kind == "Deployment" {
		owners = make(map[types.UID]bool)
		for set, err := range w.list(ctx, op+": list its replicasets", replicaSetsResource, sc.selector) {
			if err != nil {
				return nil, err
			}
			if o := metav1.GetControllerOf(set); o != nil && o.UID == sc.GetUID() {
				owners[set.GetUID()] = true
			}
		}
	}
	var pods []*unstructured.Unstructured
	for pod, err := range w.list(ctx, op+": list its pods", podsResource, sc.selector) {
		if err != nil {
			return nil, err
		}
		if phase := podPhase(pod); pod.GetDeletionTimestamp() != nil || phase == "Succeeded" || phase == "Failed" {
			continue
		}
		if o := metav1.GetControllerOf(pod); o != nil && owners[o.UID] {
			pods = append(pods, pod)
		}
	}
	slices.SortFunc(pods, w.inOrder)
	return pods, nil
}

// inOrder compares two pods as the controller does: that of a StatefulSet lets
// the one with the highest number go first, and that of ReplicaSets what serves
// least. The latter looks at more than this: at pods that share a node, at
// restarts, and only roughly at ages.
func (w *workload) inOrder(a, b *unstructured.Unstructured) int {
	if w.fixed() {
		return cmp.Compare(ordinal(b), ordinal(a))
	}
	return cmp.Or(
		share.FalseFirst(field(a, "spec", "nodeName") != "", field(b, "spec", "nodeName") != ""),
		share.FalseFirst(podPhase(a) == "Running", podPhase(b) == "Running"),
		share.FalseFirst(podReady(a), podReady(b)),
		cmp.Compare(cost(a), cost(b)),
		b.GetCreationTimestamp().Compare(a.GetCreationTimestamp().Time),
		strings.Compare(a.GetName(), b.GetName()),
	)
}

// fixed reports whether the controller keeps to its own order whatever is asked.
func (w *workload) fixed() bool { return w.gvk.Kind == "StatefulSet" }

// hasPods reports whether a kind's controller is known: which pods are its own,
// and in which order it lets them go. Of custom resources nobody knows.
func hasPods(gvk schema.GroupVersionKind) bool {
	return gvk.Group == "apps" && slices.Contains([]string{"Deployment", "ReplicaSet", "StatefulSet"}, gvk.Kind)
}

// replica is a pod as the engine sees it.
func replica(pod *unstructured.Unstructured) target.Replica {
	r := target.Replica{ID: pod.GetName(), Name: pod.GetName(), Ready: podReady(pod), Address: field(pod, "status", "podIP")}
	if r.Address != "" {
		r.Aliases = append(r.Aliases, r.Address)
	}
	r.Aliases = append(r.Aliases, string(pod.GetUID()))
	return r
}

// field is a text of an object, empty where there is none.
func field(obj *unstructured.Unstructured, path ...string) string {
	s, _, _ := unstructured.NestedString(obj.Object, path...)
	return s
}

func podPhase(pod *unstructured.Unstructured) string { return field(pod, "status", "phase") }

// ordinal is the number of a StatefulSet's pod.
func ordinal(pod *unstructured.Unstructured) int {
	name := pod.GetName()
	n, _ := strconv.Atoi(name[strings.LastIndexByte(name, '-')+1:])
	return n
}
