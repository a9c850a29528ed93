package kubernetes

import (
	"context"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/alertscaler/alertscaler/scaler/target"
)

// ready counts the replicas that serve.
//
// Where the configuration says in which fields, it is the sum of these. Else it
// is status.readyReplicas, which the controllers of Deployments, StatefulSets
// and ReplicaSets write, and many others. A controller that has not seen the
// newest specification yet (its observedGeneration is older) still says how many
// are ready of what it runs: the change is not carried out, so that is the truth,
// and Ready may exceed Requested meanwhile.
//
// Where a custom resource's status has no such field, the Ready pods that the
// scale's selector matches are counted, without those that are going away. One
// without a selector too, and with any replicas, cannot be told: an error.
func (w *workload) ready(ctx context.Context, op string, obj *unstructured.Unstructured, sc scaleObject) (int, error) {
	exist := func(why string) (int, error) {
		if n, err := count(op, sc.Object, "status", "replicas"); err != nil || n == 0 {
			return 0, err
		}
		return 0, target.Errorf(target.KindTemporary, op, "%s, so nobody knows how many are ready", why)
	}
	if w.serving != nil {
		n, found, err := w.serving.sum(op, obj.Object)
		if err != nil || found {
			return n, err
		}
		return exist("it has no field " + w.serving.String())
	}
	_, found, err := unstructured.NestedFieldNoCopy(obj.Object, "status", "readyReplicas")
	if err == nil && (found || builtIn(w.gvk.Group)) {
		return count(op, obj.Object, "status", "readyReplicas")
	}
	if selector := sc.selector(); selector != "" {
		return w.readyPods(ctx, op, selector)
	}
	return exist("its status has no readyReplicas and its scale no selector")
}

// readyPods counts the pods that match and are Ready.
func (w *workload) readyPods(ctx context.Context, op, selector string) (int, error) {
	n := 0
	err := w.list(ctx, op, podsResource, selector, func(pod *unstructured.Unstructured) {
		if podReady(pod) {
			n++
		}
	})
	return n, err
}

func podReady(pod *unstructured.Unstructured) bool {
	if pod.GetDeletionTimestamp() != nil {
		return false
	}
	c := condition(pod, "Ready")
	return c != nil && c["status"] == "True"
}
