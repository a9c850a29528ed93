package kubernetes

import (
	"context"
	"fmt"
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/alertscaler/alertscaler/scaler/target"
)

const (
	// failureStands is how long a number has been asked for before it counts
	// that its pods are refused: until then the status may be of the one before.
	failureStands = 10 * time.Second
	// unschedulableTimeout is the default of Config.UnschedulableTimeout.
	unschedulableTimeout = 5 * time.Minute
)

var eventsResource = schema.GroupVersionResource{Version: "v1", Resource: "events"}

// noRoom is why the replicas that are missing will not come, with its kind; nil
// where they may: what the controller says of pods that it could not make, and
// the scheduler of those that have been without a node for too long. What may not
// be read is not looked at.
func (w *workload) noRoom(ctx context.Context, op string, obj *unstructured.Unstructured, sc scaleObject) (failed, err error) {
	last := w.last.Load()
	if time.Since(last.at) < failureStands || (last.to == sc.requested && last.to < last.from) {
		return nil, nil
	}
	if seen, found, _ := unstructured.NestedInt64(obj.Object, "status", "observedGeneration"); found && seen < obj.GetGeneration() {
		return nil, nil // the controller does not know the number yet
	}
	if c := condition(obj, "ReplicaFailure"); c["status"] == "True" && c["reason"] == "FailedCreate" {
		if failed := w.refused(c["message"]); failed != nil {
			return failed, nil
		}
	}
	if w.gvk.Group == "apps" && w.gvk.Kind == "StatefulSet" && !last.served.IsZero() {
		failed, err := w.refusedByEvents(ctx, op, obj, last.served)
		if failed != nil || (err != nil && !mayNot(err)) {
			return failed, err
		}
	}
	failed, err = w.unscheduled(ctx, op, sc)
	if err != nil && !mayNot(err) {
		return nil, err
	}
	return failed, nil
}

// mayNot reports whether an error says that our role does not have a right.
func mayNot(err error) bool { return target.KindOf(err) == target.KindUnauthorized }

// refused is what the controller says of pods that the API server does not let
// it make. nil where it may be allowed the next time, as when a webhook was not
// to be reached. There is only the text to tell it by.
func (w *workload) refused(message string) error {
	kind := target.KindPermanent
	switch {
	case strings.Contains(message, "exceeded quota"):
		kind = target.KindQuota
	case strings.Contains(message, "is forbidden"), strings.Contains(message, "denied the request"), strings.Contains(message, "is invalid"):
	default:
		return nil
	}
	return target.Errorf(kind, "make the pods of "+w.what, "%s", message)
}

// refusedByEvents looks for what the controller of StatefulSets says only in
// events, since the number was last set by this process.
func (w *workload) refusedByEvents(ctx context.Context, op string, obj *unstructured.Unstructured, since time.Time) (failed, err error) {
	page, err := w.cluster.objects.Resource(eventsResource).Namespace(w.namespace).List(ctx, metav1.ListOptions{
		FieldSelector: fmt.Sprintf("involvedObject.uid=%s,reason=FailedCreate", obj.GetUID()), Limit: perPage,
	})
	if err != nil {
		return nil, failure(ctx, op+": list its events", err)
	}
	for i := range page.Items {
		event := &page.Items[i]
		if at := eventTime(event); !at.Before(since) {
			if failed := w.refused(field(event, "message")); failed != nil {
				return failed, nil
			}
		}
	}
	return nil, nil
}

// eventTime is when an event was last seen, by either of the API's two ways to
// say so.
func eventTime(event *unstructured.Unstructured) time.Time {
	var latest time.Time
	for _, path := range [][]string{{"lastTimestamp"}, {"eventTime"}, {"series", "lastObservedTime"}} {
		if at, err := time.Parse(time.RFC3339Nano, field(event, path...)); err == nil && at.After(latest) {
			latest = at
		}
	}
	return latest
}

// unscheduled is what the scheduler says of a pod that it has found no node for
// in all the time that one may take.
func (w *workload) unscheduled(ctx context.Context, op string, sc scaleObject) (failed, err error) {
	if sc.selector == "" {
		return nil, nil
	}
	n, message := 0, ""
	for pod, err := range w.list(ctx, op+": list its pods", podsResource, sc.selector) {
		if err != nil {
			return nil, err
		}
		c := condition(pod, "PodScheduled")
		if c["status"] != "False" || c["reason"] != "Unschedulable" || pod.GetDeletionTimestamp() != nil || !w.mayOwn(pod, sc) {
			continue
		}
		if since, err := time.Parse(time.RFC3339, c["lastTransitionTime"]); err != nil || time.Since(since) < w.unschedulable {
			continue
		}
		n++
		message = c["message"]
	}
	if n == 0 {
		return nil, nil
	}
	return target.Errorf(target.KindQuota, "make the pods of "+w.what, "%d of them found no node within %s: %s", n, w.unschedulable, message), nil
}

// mayOwn reports whether a pod that the selector matches may be one of the
// workload's: other things may have pods with the same labels.
func (w *workload) mayOwn(pod *unstructured.Unstructured, sc scaleObject) bool {
	owner := metav1.GetControllerOf(pod)
	switch {
	case !hasPods(w.gvk):
		return true
	case owner == nil:
		return false
	case w.gvk.Kind == "Deployment":
		return owner.Kind == "ReplicaSet" && strings.HasPrefix(owner.Name, w.name+"-")
	default:
		return owner.UID == sc.GetUID()
	}
}

// condition is the one of a type in an object's status, as far as its fields are
// texts; empty: there is none.
func condition(obj *unstructured.Unstructured, kind string) map[string]string {
	texts := make(map[string]string)
	conditions, _, _ := unstructured.NestedSlice(obj.Object, "status", "conditions")
	for _, c := range conditions {
		if fields, ok := c.(map[string]any); ok && fields["type"] == kind {
			for name, value := range fields {
				texts[name], _ = value.(string)
			}
			break
		}
	}
	return texts
}
