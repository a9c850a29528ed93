package kubernetes

import (
	"strconv"
	"testing"
	"time"

	"github.com/alertscaler/alertscaler/scaler/realtest"
	"github.com/alertscaler/alertscaler/scaler/target"
	"github.com/alertscaler/alertscaler/scaler/target/targettest"
)

func testDeployment(t *testing.T, c *testCluster) {
	c.conform(t, "apps/v1", "Deployment", "deployments", func(t *testing.T, readyAfter string) string {
		return c.create(t, "apps/v1", "Deployment", 1, readyAfter)
	})
}

func testStatefulSet(t *testing.T, c *testCluster) {
	c.conform(t, "apps/v1", "StatefulSet", "statefulsets", func(t *testing.T, readyAfter string) string {
		return c.create(t, "apps/v1", "StatefulSet", 1, readyAfter)
	})
}

func testCustomResource(t *testing.T, c *testCluster) {
	c.defineWidgets(t)
	c.conform(t, widgetVersion, "Widget", "widgets", c.createWidget)
}

// conform runs the suite over things of a kind that create makes, with pods
// that are ready after some time.
func (c *testCluster) conform(t *testing.T, apiVersion, kind, resource string, create func(t *testing.T, readyAfter string) string) {
	at := func(t *testing.T, name, kubeconfig string) target.Target {
		return build(t, &Config{
			APIVersion: apiVersion, Kind: kind, Namespace: "default", Name: name,
			Kubeconfig: kubeconfig, clients: &c.clients,
		})
	}
	targettest.Run(t, targettest.Harness{
		New:  func(t *testing.T) target.Target { return at(t, create(t, "0s"), c.kubeconfig) },
		Slow: func(t *testing.T) target.Target { return at(t, create(t, "1s"), c.kubeconfig) },
		Foreign: func(t *testing.T, tgt target.Target, n int) {
			c.setReplicas(t, object(apiVersion, resource, workloadOf(tgt).name), n)
		},
		Missing: func(t *testing.T) target.Target { return at(t, "no-such-thing", c.kubeconfig) },
		Forbidden: func(t *testing.T) target.Target {
			return at(t, create(t, "0s"), c.Kubeconfig(t, realtest.KubernetesNobody+"-token"))
		},
		Unreachable: func(t *testing.T) target.Target {
			url := "https://127.0.0.1:" + strconv.Itoa(realtest.FreePort(t))
			return at(t, "x", realtest.KubeconfigFor(t, url, c.CAFile, "x"))
		},
		Hanging: func(t *testing.T) target.Target {
			return at(t, "x", c.Proxy(t, realtest.KubernetesAdmin+"-token", hangs))
		},
		Converge:    converge,
		Poll:        100 * time.Millisecond,
		CallTimeout: 30 * time.Second,
	})
}
