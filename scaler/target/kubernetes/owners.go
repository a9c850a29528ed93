package kubernetes

import (
	"context"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/dynamic"

	"github.com/alertscaler/alertscaler/scaler/target"
)

// unownedFor is how long it is believed that nobody else sets the number. A
// refusal is not kept: it ends with its reason.
const unownedFor = time.Minute

var autoscalersResource = schema.GroupVersionResource{Group: "autoscaling", Version: "v2", Resource: "horizontalpodautoscalers"}

// refuseOwned returns an error that names whoever else sets the number: a
// controller that owns the resource, or a HorizontalPodAutoscaler. What two set,
// both set again and again.
func (w *workload) refuseOwned(ctx context.Context, op string, api dynamic.ResourceInterface) error {
	if w.allowOthers {
		return nil
	}
	if at := w.unownedAt.Load(); at != nil && time.Since(*at) < unownedFor {
		return nil
	}
	obj, err := api.Get(ctx, w.name, metav1.GetOptions{})
	if err != nil {
		return failure(ctx, op, err)
	}
	if owner := metav1.GetControllerOf(obj); owner != nil {
		return target.Errorf(target.KindPermanent, op,
			"it is owned by %s %s, which sets its replicas: scale that instead, or set allow_other_owners", owner.Kind, owner.Name)
	}
	if w.namespace != "" { // autoscalers are only for what is in one
		for hpa, err := range w.list(ctx, op+": look for a HorizontalPodAutoscaler of it (allow_other_owners: true does without)", autoscalersResource, "") {
			if apierrors.IsNotFound(err) {
				break // this API server has no autoscalers
			}
			if err != nil {
				return err
			}
			if w.isTarget(hpa) {
				return target.Errorf(target.KindPermanent, op,
					"HorizontalPodAutoscaler %s sets its replicas: remove that, or set allow_other_owners", hpa.GetName())
			}
		}
	}
	now := time.Now()
	w.unownedAt.Store(&now)
	return nil
}

// isTarget reports whether the autoscaler scales this resource, in whatever
// version.
func (w *workload) isTarget(hpa *unstructured.Unstructured) bool {
	ref, _, _ := unstructured.NestedStringMap(hpa.Object, "spec", "scaleTargetRef")
	gvk := schema.FromAPIVersionAndKind(ref["apiVersion"], ref["kind"])
	return gvk.GroupKind() == w.gvk.GroupKind() && ref["name"] == w.name
}
