package kubernetes

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/alertscaler/alertscaler/scaler/realtest"
	"github.com/alertscaler/alertscaler/scaler/target"
)

// testVictimsRole: the rules of the documentation, and every verb is needed.
func testVictimsRole(t *testing.T, c *testCluster) {
	name := c.create(t, "apps/v1", "Deployment", 1, "0s")
	cfg := c.deployment(name)
	c.Create(t, "{ apiVersion: v1, kind: ServiceAccount, metadata: { name: "+name+" } }")
	cfg.Kubeconfig = c.Kubeconfig(t, c.ServiceAccountToken(t, "default", name))
	tgt, admin := open(t, cfg), open(t, c.deployment(name))
	basic := rules(t, realtest.Documented(t, "../../../docs/kubernetes.md", "## What it may do"))
	more := rules(t, "kind: Role\nrules:\n"+realtest.Documented(t, "../../../docs/kubernetes.md", "## Which pods go"))
	role := func(rules []map[string]any) map[string]any {
		return map[string]any{
			"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "Role",
			"metadata": map[string]any{"name": name}, "rules": rules,
		}
	}
	const roles = "/apis/rbac.authorization.k8s.io/v1/namespaces/default/"
	c.Call(t, http.MethodPost, roles+"roles", role(slices.Concat(basic, more)), nil)
	c.Call(t, http.MethodPost, roles+"rolebindings", map[string]any{
		"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "RoleBinding", "metadata": map[string]any{"name": name},
		"roleRef":  map[string]any{"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": name},
		"subjects": []any{map[string]any{"kind": "ServiceAccount", "namespace": "default", "name": name}},
	}, nil)
	check := func(want target.Kind, what string) {
		t.Helper()
		realtest.Eventually(t, converge, 100*time.Millisecond, what, func() error {
			ask(t, admin, 2)
			ids, _ := replicas(t, admin, 2)
			_, err := tgt.(target.Victims).Replicas(t.Context())
			if err == nil {
				err = tgt.(target.Victims).ScaleDown(t.Context(), 1, ids[1:])
			}
			switch {
			case target.KindOf(err) == want:
				return nil
			case err == nil:
				return errors.New("it works")
			default:
				return fmt.Errorf("%w (kind %q)", err, target.KindOf(err))
			}
		})
	}
	check("", "it works with the rules")
	for i, rule := range more {
		verbs := rule["verbs"].([]any)
		for j, verb := range verbs {
			less := slices.Clone(more)
			less[i] = map[string]any{"apiGroups": rule["apiGroups"], "resources": rule["resources"], "verbs": slices.Concat(verbs[:j], verbs[j+1:])}
			if len(verbs) == 1 {
				less = slices.Delete(less, i, i+1)
			}
			c.Call(t, http.MethodPatch, roles+"roles/"+name, role(slices.Concat(basic, less)), nil)
			check(target.KindUnauthorized, fmt.Sprintf("it does not work without %v of %v", verb, rule["resources"]))
		}
	}
	// What needs no names needs none of it.
	c.Call(t, http.MethodPatch, roles+"roles/"+name, role(basic), nil)
	ask(t, admin, 2)
	scale(t, tgt, 3)
	if _, err := tgt.(target.Victims).Replicas(t.Context()); !strings.Contains(fmt.Sprint(err), "list its replicasets") {
		t.Errorf("Replicas without the rules: %v", err)
	}
}
