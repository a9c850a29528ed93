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
	w.mu.Lock()
	known := time.Since(w.unownedAt) < unownedFor
	w.mu.Unlock()
	if known {
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
	hpa, err := w.autoscaler(ctx, op)
	if err != nil {
		return err
	}
	if hpa != "" {
		return target.Errorf(target.KindPermanent, op,
			"HorizontalPodAutoscaler %s sets its replicas: remove that, or set allow_other_owners", hpa)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.unownedAt = time.Now()
	return nil
}

// autoscaler returns the name of the HorizontalPodAutoscaler of this resource,
// empty if there is none. Autoscalers are only for what is in a namespace.
func (w *workload) autoscaler(ctx context.Context, op string) (string, error) {
	if w.namespace == "" {
		return "", nil
	}
	o := metav1.ListOptions{Limit: perPage}
	for {
		page, err := w.cluster.objects.Resource(autoscalersResource).Namespace(w.namespace).List(ctx, o)
		if apierrors.IsNotFound(err) {
			return "", nil // This API server has no autoscalers.
		}
		if err != nil {
			return "", failure(ctx, op+": look for a HorizontalPodAutoscaler of it (allow_other_owners: true does without)", err)
		}
		for i := range page.Items {
			if hpa := &page.Items[i]; w.isTarget(hpa) {
				return hpa.GetName(), nil
			}
		}
		if o.Continue = page.GetContinue(); o.Continue == "" {
			return "", nil
		}
	}
}

// isTarget reports whether the autoscaler scales this resource, in whatever
// version.
func (w *workload) isTarget(hpa *unstructured.Unstructured) bool {
	ref, _, _ := unstructured.NestedStringMap(hpa.Object, "spec", "scaleTargetRef")
	gvk := schema.FromAPIVersionAndKind(ref["apiVersion"], ref["kind"])
	return gvk.GroupKind() == w.gvk.GroupKind() && ref["name"] == w.name
}
