// Package hpa runs the HorizontalPodAutoscaler's own controller, unmodified,
// in virtual time, and holds the model of it to what it does.
package hpa

import (
	"context"
	"errors"
	"math"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	autoscalingv1 "k8s.io/api/autoscaling/v1"
	autoscalingv2 "k8s.io/api/autoscaling/v2"
	v1 "k8s.io/api/core/v1"
	apimeta "k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes/fake"
	scalefake "k8s.io/client-go/scale/fake"
	clienttesting "k8s.io/client-go/testing"
	defaults "k8s.io/kubernetes/pkg/apis/autoscaling/v2"
	"k8s.io/kubernetes/pkg/controller/podautoscaler"
	"k8s.io/kubernetes/pkg/controller/podautoscaler/metrics"

	"github.com/alertscaler/alertscaler/scaler/simulate/plant"
	"github.com/alertscaler/alertscaler/testdata/compare/peers"
)

const (
	namespace = "default"
	name      = "web"
	// interval is the controller manager's --horizontal-pod-autoscaler-sync-period.
	interval = 15 * time.Second
	// offset is how long after the signal changed the answer is read; the
	// controller's own time is a moment after its start.
	offset = 5 * time.Second
)

// cluster is what the controller sees of Kubernetes: one Deployment with one
// usage. It is the plant's controller at once.
type cluster struct {
	t *testing.T
	// run the controller, which begins when it is first asked.
	run   func()
	began time.Time

	mtx      sync.Mutex
	usage    int64
	replicas int32
	reads    int // of the metric
}

// newCluster makes the controller in the bubble of t, set as the model is.
func newCluster(ctx context.Context, t *testing.T, model *peers.HPA, start int) *cluster {
	c := &cluster{t: t, replicas: int32(start)}

	hpa := &autoscalingv2.HorizontalPodAutoscaler{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name, ResourceVersion: "1"},
		Spec: autoscalingv2.HorizontalPodAutoscalerSpec{
			ScaleTargetRef: autoscalingv2.CrossVersionObjectReference{APIVersion: "apps/v1", Kind: "Deployment", Name: name},
			MinReplicas:    new(int32(1)),
			MaxReplicas:    200,
			Metrics: []autoscalingv2.MetricSpec{{
				Type: autoscalingv2.ExternalMetricSourceType,
				External: &autoscalingv2.ExternalMetricSource{
					Metric: autoscalingv2.MetricIdentifier{Name: "usage"},
					Target: autoscalingv2.MetricTarget{
						Type:         autoscalingv2.AverageValueMetricType,
						AverageValue: resource.NewMilliQuantity(model.Target, resource.DecimalSI),
					},
				},
			}},
		},
	}
	// What the API server would have filled in.
	defaults.SetDefaults_HorizontalPodAutoscaler(hpa)
	tolerance := resource.NewMilliQuantity(int64(math.Round(1000*model.Tolerance)), resource.DecimalSI)
	hpa.Spec.Behavior = &autoscalingv2.HorizontalPodAutoscalerBehavior{
		ScaleUp: &autoscalingv2.HPAScalingRules{Tolerance: tolerance},
		ScaleDown: &autoscalingv2.HPAScalingRules{
			Tolerance: tolerance, StabilizationWindowSeconds: new(int32(model.Window.Seconds())),
		},
	}
	defaults.SetDefaults_HorizontalPodAutoscalerBehavior(hpa)

	client := fake.NewClientset(hpa)
	scales := &scalefake.FakeScaleClient{}
	scales.AddReactor("get", "deployments", c.getScale)
	scales.AddReactor("update", "deployments", c.updateScale)
	mapper := apimeta.NewDefaultRESTMapper([]schema.GroupVersion{appsv1.SchemeGroupVersion})
	mapper.Add(appsv1.SchemeGroupVersion.WithKind("Deployment"), apimeta.RESTScopeNamespace)
	factory := informers.NewSharedInformerFactory(client, interval)

	controller := podautoscaler.NewHorizontalController(
		ctx, fake.NewClientset().CoreV1(), scales, client.AutoscalingV2(), mapper, c,
		factory.Autoscaling().V2().HorizontalPodAutoscalers(), factory.Core().V1().Pods(),
		// As kube-controller-manager sets them by default.
		interval, peers.HPAWindow, peers.HPATolerance, 5*time.Minute, 30*time.Second,
	)
	factory.Start(ctx.Done())
	factory.WaitForCacheSync(ctx.Done())
	c.run = func() { controller.Run(ctx, 1) }
	return c
}

// Desired shows the controller the signal, lets its next interval come, and
// answers what it requested in it.
func (c *cluster) Desired(s plant.Signal) int {
	c.mtx.Lock()
	c.usage = peers.Milli(s.Usage)
	before := c.reads
	if int(c.replicas) != s.Requested {
		c.t.Errorf("at %s: %d replicas, the plant has %d", s.Now, c.replicas, s.Requested)
	}
	c.mtx.Unlock()
	if c.began.IsZero() {
		c.began = time.Now()
		go c.run()
	}

	time.Sleep(time.Until(c.began.Add(s.Now + offset)))
	synctest.Wait()

	c.mtx.Lock()
	defer c.mtx.Unlock()
	if c.reads != before+1 {
		c.t.Fatalf("at %s: the controller read the metric %d times in this interval", s.Now, c.reads-before)
	}
	return int(c.replicas)
}

func (c *cluster) getScale(clienttesting.Action) (bool, runtime.Object, error) {
	c.mtx.Lock()
	defer c.mtx.Unlock()
	return true, &autoscalingv1.Scale{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name},
		Spec:       autoscalingv1.ScaleSpec{Replicas: c.replicas},
		// Pods exist as soon as they are requested, ready or not.
		Status: autoscalingv1.ScaleStatus{Replicas: c.replicas, Selector: "app=web"},
	}, nil
}

func (c *cluster) updateScale(action clienttesting.Action) (bool, runtime.Object, error) {
	c.mtx.Lock()
	defer c.mtx.Unlock()
	scale := action.(clienttesting.UpdateAction).GetObject().(*autoscalingv1.Scale)
	c.replicas = scale.Spec.Replicas
	return true, scale, nil
}

// GetExternalMetric is the usage of the whole Deployment.
func (c *cluster) GetExternalMetric(string, string, labels.Selector) ([]int64, time.Time, error) {
	c.mtx.Lock()
	defer c.mtx.Unlock()
	c.reads++
	return []int64{c.usage}, time.Now(), nil
}

var errUnused = errors.New("no such metric")

// GetResourceMetric is part of the interface alone.
func (c *cluster) GetResourceMetric(context.Context, v1.ResourceName, string, labels.Selector, string) (metrics.PodMetricsInfo, time.Time, error) {
	return nil, time.Time{}, errUnused
}

// GetRawMetric is part of the interface alone.
func (c *cluster) GetRawMetric(string, string, labels.Selector, labels.Selector) (metrics.PodMetricsInfo, time.Time, error) {
	return nil, time.Time{}, errUnused
}

// GetObjectMetric is part of the interface alone.
func (c *cluster) GetObjectMetric(string, string, *autoscalingv2.CrossVersionObjectReference, labels.Selector) (int64, time.Time, error) {
	return 0, time.Time{}, errUnused
}

var _ metrics.MetricsClient = (*cluster)(nil)
