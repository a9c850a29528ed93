package kubernetes

import (
	"context"
	"fmt"
	"math"
	"sync/atomic"
	"time"

	"github.com/go-kit/log"
	"github.com/go-kit/log/level"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/dynamic"

	"github.com/alertscaler/alertscaler/scaler/target"
	"github.com/alertscaler/alertscaler/scaler/target/share"
)

// fieldManager is who we are to the API server, in managedFields and its logs.
const fieldManager = "alertscaler"

// workload is a target.Target.
type workload struct {
	share.OnClose
	gvk             schema.GroupVersionKind
	namespace, name string
	what            string // for errors: Deployment shop/web
	cluster         *cluster
	allowOthers     bool
	serving         counts        // of Config.Ready
	unschedulable   time.Duration // see Config.UnschedulableTimeout
	logger          log.Logger

	unownedAt atomic.Pointer[time.Time] // when nobody else was last seen to set the number
	last      atomic.Pointer[request]
}

// request is the last one that the API server took from this target; without a
// number there was none since the moment given.
type request struct {
	from, to int
	at       time.Time
	served   time.Time // the same by the API server's clock; zero: unknown
}

var _ target.Closer = (*workload)(nil)

// Current implements target.Target. Requested is the scale's spec.replicas; of
// Ready see ready, and of Failed see noRoom. When the number last changed is not
// known: the API server keeps no such time.
func (w *workload) Current(ctx context.Context) (target.State, error) {
	ctx, op := share.Note(ctx), "read "+w.what
	sc, err := w.read(ctx, op)
	if err != nil {
		return target.State{}, err
	}
	obj, err := sc.api.Get(ctx, w.name, metav1.GetOptions{})
	if err == nil && (obj.GetKind() != w.gvk.Kind || obj.GetName() != w.name) {
		err = fmt.Errorf("the answer is a %s %q and not what was asked for", obj.GetKind(), obj.GetName())
	}
	if err != nil {
		return target.State{}, failure(ctx, op, err)
	}
	st := target.State{Requested: sc.requested}
	if st.Ready, err = w.ready(ctx, op, obj, sc); err != nil {
		return target.State{}, err
	}
	if st.Ready < st.Requested {
		if st.Failed, err = w.noRoom(ctx, op, obj, sc); err != nil {
			return target.State{}, err
		}
	}
	return st, nil
}

// Scale implements target.Target. It changes the scale subresource and nothing
// else. A change of the resource since it was read, by anyone and of anything,
// is a conflict.
func (w *workload) Scale(ctx context.Context, desired int) error {
	return w.change(ctx, desired, func(context.Context, string, scaleObject) error { return nil })
}

// change is Scale, with something to be done once it is certain that there is a
// change, and before it is made.
func (w *workload) change(ctx context.Context, desired int, before func(ctx context.Context, op string, sc scaleObject) error) error {
	ctx, op := share.Note(ctx), "scale "+w.what
	if desired < 0 || desired > math.MaxInt32 {
		return target.Errorf(target.KindPermanent, op, "%d is no number of replicas", desired)
	}
	sc, err := w.read(ctx, op)
	if err != nil {
		return err
	}
	if sc.requested == desired {
		return target.Errorf(target.KindNoOp, op, "%d replicas are already requested", desired)
	}
	if err := w.refuseOwned(ctx, op, sc.api); err != nil {
		return err
	}
	if err := before(ctx, op, sc); err != nil {
		return err
	}
	if err := unstructured.SetNestedField(sc.Object, int64(desired), "spec", "replicas"); err != nil {
		return target.Errorf(target.KindTemporary, op, "the scale is of an unknown form: %w", err)
	}
	if _, err := sc.api.Update(ctx, sc.Unstructured, metav1.UpdateOptions{FieldManager: fieldManager}, "scale"); err != nil {
		return failure(ctx, op, err)
	}
	w.last.Store(&request{sc.requested, desired, time.Now(), share.Noted(ctx).Date})
	level.Debug(w.logger).Log("msg", "scale updated", "what", w.what, "from", sc.requested, "to", desired)
	return nil
}

// scaleObject is a resource's autoscaling/v1 Scale.
type scaleObject struct {
	*unstructured.Unstructured
	api       dynamic.ResourceInterface // the resource's part of the API
	requested int                       // spec.replicas, which is absent where it is 0
	selector  string                    // that of its pods; empty: it does not say
}

// read reads the scale.
func (w *workload) read(ctx context.Context, op string) (scaleObject, error) {
	r, err := w.cluster.find(ctx, op, w.gvk)
	switch {
	case err != nil:
		return scaleObject{}, err
	case r.namespaced && w.namespace == "":
		return scaleObject{}, target.Errorf(target.KindPermanent, op, "every %s is in a namespace, and none is configured", w.gvk.Kind)
	case !r.namespaced && w.namespace != "":
		return scaleObject{}, target.Errorf(target.KindPermanent, op, "a %s is in no namespace, and %s is configured", w.gvk.Kind, w.namespace)
	}
	api := w.cluster.objects.Resource(r.GroupVersionResource).Namespace(w.namespace)
	obj, err := api.Get(ctx, w.name, metav1.GetOptions{}, "scale")
	if apierrors.IsNotFound(err) {
		w.cluster.kinds.Delete(w.gvk)
	}
	if err == nil && (obj.GetKind() != "Scale" || obj.GetName() != w.name) {
		err = fmt.Errorf("the answer is a %s %q and not the scale", obj.GetKind(), obj.GetName())
	}
	if err != nil {
		return scaleObject{}, failure(ctx, op, err)
	}
	requested, err := count(op, obj.Object, "spec", "replicas")
	return scaleObject{obj, api, requested, field(obj, "status", "selector")}, err
}

// count reads a number of replicas; one that is absent is 0, as the API leaves
// out zeros.
func count(op string, obj map[string]any, fields ...string) (int, error) {
	n, _, err := unstructured.NestedInt64(obj, fields...)
	switch {
	case err != nil:
		return 0, target.Errorf(target.KindTemporary, op, "%w", err)
	case n < 0 || n > math.MaxInt32:
		return 0, target.Errorf(target.KindTemporary, op, "%d %s is no number of replicas", n, fields[len(fields)-1])
	}
	return int(n), nil
}

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
