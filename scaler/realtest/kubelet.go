package realtest

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

const (
	// PodReadyAfter is the annotation of a pod with the time it takes from its
	// start to being Ready, such as 1s. Without it pods are Ready at once, and
	// with "never" they never are.
	PodReadyAfter = "realtest/ready-after"
	// PodUnschedulable is what the annotation says of a pod that no node has room
	// for.
	PodUnschedulable = "unschedulable"
	// KubernetesNode is the name of the only node.
	KubernetesNode = "node-1"
)

// kubelet does to the API what a scheduler and the kubelet of one node do: binds
// pods, says that they are Running and Ready, and ends those that are deleted.
type kubelet struct {
	k   *Kubernetes
	ctx context.Context

	ips atomic.Uint32 // how many were given to pods

	mu   sync.Mutex
	done map[string]bool // what was begun of which pod, since the last connection
}

// pod is what the kubelet reads of one.
type pod struct {
	Metadata struct {
		Name, Namespace, UID, DeletionTimestamp string
		Annotations                             map[string]string
	}
	Spec   struct{ NodeName string }
	Status struct{ Phase string }
}

// startKubelet runs until the test ends.
func (k *Kubernetes) startKubelet(t testing.TB) {
	t.Helper()
	node := map[string]any{"apiVersion": "v1", "kind": "Node", "metadata": map[string]any{"name": KubernetesNode}}
	k.Call(t, http.MethodPost, "/api/v1/nodes", node, nil)
	k.Call(t, http.MethodPatch, "/api/v1/nodes/"+KubernetesNode+"/status",
		map[string]any{"status": map[string]any{"conditions": conditions("Ready")}}, nil)
	ctx, cancel := context.WithCancel(context.Background())
	l := &kubelet{k: k, ctx: ctx}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for ctx.Err() == nil {
			l.watch()
			select { // The API server may be down, on purpose.
			case <-ctx.Done():
			case <-time.After(100 * time.Millisecond):
			}
		}
	}()
	t.Cleanup(func() {
		cancel()
		<-ended
	})
}

// watch takes in the changes of all pods, first of all those that there are,
// until the connection ends.
func (l *kubelet) watch() {
	req, err := http.NewRequestWithContext(l.ctx, http.MethodGet, l.k.URL+"/api/v1/pods?watch=true&resourceVersion=0", http.NoBody)
	if err != nil {
		return
	}
	resp, err := l.k.client.Do(req)
	if err != nil {
		return
	}
	defer resp.Body.Close()
	l.mu.Lock()
	l.done = make(map[string]bool)
	l.mu.Unlock()
	var working sync.WaitGroup
	defer working.Wait()
	for changes := json.NewDecoder(resp.Body); ; {
		var change struct {
			Type   string
			Object pod
		}
		if err := changes.Decode(&change); err != nil {
			return
		}
		if change.Type == "ADDED" || change.Type == "MODIFIED" {
			working.Go(func() { l.see(change.Object) })
		}
	}
}

// see does the next thing that is to be done with a pod.
func (l *kubelet) see(p pod) {
	path := "/api/v1/namespaces/" + p.Metadata.Namespace + "/pods/" + p.Metadata.Name
	switch {
	case p.Metadata.DeletionTimestamp != "":
		l.once(p, "end", func() error {
			return l.k.Try(http.MethodDelete, path, map[string]any{"gracePeriodSeconds": 0}, nil)
		})
	case p.Spec.NodeName == "" && p.Metadata.Annotations[PodReadyAfter] == PodUnschedulable:
		l.once(p, "refuse", func() error {
			no := conditions("PodScheduled")
			no[0]["status"], no[0]["reason"] = "False", "Unschedulable"
			no[0]["message"] = "0/1 nodes are available: 1 Insufficient memory."
			return l.k.Try(http.MethodPatch, path+"/status", map[string]any{"status": map[string]any{"conditions": no}}, nil)
		})
	case p.Spec.NodeName == "":
		l.once(p, "bind", func() error {
			return l.k.Try(http.MethodPost, path+"/binding", map[string]any{
				"apiVersion": "v1", "kind": "Binding", "metadata": map[string]any{"name": p.Metadata.Name},
				"target": map[string]any{"apiVersion": "v1", "kind": "Node", "name": KubernetesNode},
			}, nil)
		})
	case p.Status.Phase != "Running":
		after := p.Metadata.Annotations[PodReadyAfter]
		if after == "never" {
			return
		}
		l.once(p, "ready", func() error {
			d, _ := time.ParseDuration(after)
			select {
			case <-l.ctx.Done():
				return nil
			case <-time.After(d):
			}
			n := l.ips.Add(1)
			ip := fmt.Sprintf("10.%d.%d.%d", 1+n>>16, n>>8&0xff, n&0xff)
			return l.k.Try(http.MethodPatch, path+"/status", map[string]any{"status": map[string]any{
				"phase": "Running", "startTime": time.Now().UTC().Format(time.RFC3339),
				"podIP": ip, "podIPs": []any{map[string]any{"ip": ip}},
				"conditions": conditions("PodScheduled", "Initialized", "ContainersReady", "Ready"),
			}}, nil)
		})
	}
}

// once does what once of a pod, unless it came to nothing for another reason
// than that the pod is gone.
func (l *kubelet) once(p pod, what string, do func() error) {
	key := p.Metadata.UID + " " + what
	l.mu.Lock()
	begun := l.done[key]
	l.done[key] = true
	l.mu.Unlock()
	if begun {
		return
	}
	for l.ctx.Err() == nil {
		if err := do(); err == nil || isStatus(err, http.StatusNotFound) || isStatus(err, http.StatusConflict) {
			return
		}
		time.Sleep(100 * time.Millisecond)
	}
}

// conditions says that all these hold.
func conditions(types ...string) []map[string]any {
	now := time.Now().UTC().Format(time.RFC3339)
	list := make([]map[string]any, 0, len(types))
	for _, c := range types {
		list = append(list, map[string]any{"type": c, "status": "True", "lastTransitionTime": now})
	}
	return list
}
