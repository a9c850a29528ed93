package kubernetes

import (
	"context"
	"fmt"
	"math"
	"reflect"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/client-go/util/jsonpath"

	"github.com/alertscaler/alertscaler/scaler/target"
)

// ready counts the replicas that serve: the sum of the configured fields, else
// status.readyReplicas. That is the truth also where the controller has not seen
// the newest specification yet, and may exceed Requested meanwhile.
//
// Where a custom resource's status has no such field, the Ready pods that the
// scale's selector matches are counted, without those that are going away. With
// no selector either it is an error, unless there are no replicas at all.
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
	if sc.selector != "" {
		n := 0
		for pod, err := range w.list(ctx, op+": list its pods", podsResource, sc.selector) {
			if err != nil {
				return 0, err
			}
			if podReady(pod) {
				n++
			}
		}
		return n, nil
	}
	return exist("its status has no readyReplicas and its scale no selector")
}

func podReady(pod *unstructured.Unstructured) bool {
	return pod.GetDeletionTimestamp() == nil && condition(pod, "Ready")["status"] == "True"
}

// counts are the fields of a resource whose sum is a number of replicas; nil:
// none are given.
type counts []fieldCount

type fieldCount struct {
	path   string
	parsed *jsonpath.JSONPath
}

// parseCounts reads JSONPaths with + between them, each as kubectl takes it:
// .status.readyReplicas, with or without braces around it or the dot before.
func parseCounts(s string) (counts, error) {
	if strings.TrimSpace(s) == "" {
		return nil, nil
	}
	var out counts
	for _, path := range split(s) {
		path = strings.TrimSpace(path)
		if inner, ok := strings.CutPrefix(path, "{"); ok {
			var closed bool
			if path, closed = strings.CutSuffix(inner, "}"); !closed {
				path = ""
			}
			path = strings.TrimSpace(path)
		}
		path = "." + strings.TrimPrefix(strings.TrimPrefix(path, "$"), ".")
		if path == "." || strings.ContainsAny(path, "{}") {
			return nil, fmt.Errorf("%q is not a path such as .status.readyReplicas, or several with + between them", s)
		}
		f := fieldCount{path, jsonpath.New("ready").AllowMissingKeys(true)}
		if err := f.parsed.Parse("{" + path + "}"); err != nil {
			return nil, fmt.Errorf("%q is not a path such as .status.readyReplicas: %w", path, err)
		}
		out = append(out, f)
	}
	return out, nil
}

// split splits at each + that is not within brackets.
func split(s string) []string {
	var out []string
	depth, from := 0, 0
	for i, c := range s {
		switch {
		case c == '[':
			depth++
		case c == ']':
			depth--
		case c == '+' && depth == 0:
			out = append(out, s[from:i])
			from = i + 1
		}
	}
	return append(out, s[from:])
}

// String is the paths as they are understood.
func (c counts) String() string {
	paths := make([]string, len(c))
	for i, f := range c {
		paths[i] = f.path
	}
	return strings.Join(paths, " + ")
}

// sum adds up what the fields say; one that is absent beside others is 0, as
// the API leaves out zeros. found is false where none is there.
func (c counts) sum(op string, obj map[string]any) (n int, found bool, err error) {
	for _, f := range c {
		results, err := f.parsed.FindResults(obj)
		if err != nil {
			return 0, false, target.Errorf(target.KindTemporary, op, "%s: %w", f.path, err)
		}
		for _, values := range results {
			for _, v := range values {
				one, ok := replicasIn(v)
				if !ok {
					return 0, false, target.Errorf(target.KindTemporary, op, "%s is %v, which is no number of replicas", f.path, v)
				}
				n, found = n+one, true
			}
		}
	}
	if n > math.MaxInt32 {
		return 0, false, target.Errorf(target.KindTemporary, op, "%s is %d, which is no number of replicas", c, n)
	}
	return n, found, nil
}

func replicasIn(v reflect.Value) (int, bool) {
	if !v.IsValid() || !v.CanInterface() {
		return 0, false
	}
	switch n := v.Interface().(type) {
	case int64:
		return int(n), n >= 0 && n <= math.MaxInt32
	case float64:
		return int(n), n >= 0 && n <= math.MaxInt32 && n == math.Trunc(n)
	default:
		return 0, false
	}
}
