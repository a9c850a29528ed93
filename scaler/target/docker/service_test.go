package docker

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/containerd/errdefs"
	"github.com/google/go-cmp/cmp"
	"github.com/moby/moby/api/types/swarm"
	"github.com/moby/moby/client"

	"github.com/alertscaler/alertscaler/scaler/realtest"
	"github.com/alertscaler/alertscaler/scaler/target"
)

// inspectService reads a service past the code under test.
func inspectService(t testing.TB, api *client.Client, name string) swarm.Service {
	t.Helper()
	svc, err := api.ServiceInspect(t.Context(), name, client.ServiceInspectOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return svc.Service
}

// TestServiceScaleChangesTheCountAlone uses a service as other tools make
// them: its image has no tag. The client library would add one, and Swarm
// would replace all that runs.
func TestServiceScaleChangesTheCountAlone(t *testing.T) {
	t.Parallel()
	host := realtest.Swarm(t)
	api := dockerd(t, host)
	const untagged = "alertscaler-test-untagged"
	if _, err := api.ImageTag(t.Context(), client.ImageTagOptions{Source: image(t), Target: untagged + ":latest"}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _, _ = api.ImageRemove(context.Background(), untagged+":latest", client.ImageRemoveOptions{}) })
	spec := serviceSpec(t)
	spec.Labels["team"] = "shop"
	spec.TaskTemplate.ContainerSpec.Image = untagged
	spec.TaskTemplate.ContainerSpec.Labels = map[string]string{"a<b": "c&d"}
	spec.TaskTemplate.Resources = &swarm.ResourceRequirements{Limits: &swarm.Limit{NanoCPUs: 500_000_000, MemoryBytes: 64 << 20}}
	spec.TaskTemplate.Placement = &swarm.Placement{Constraints: []string{"node.role==manager"}}
	spec.UpdateConfig = &swarm.UpdateConfig{Parallelism: 1, Order: swarm.UpdateOrderStartFirst, FailureAction: swarm.UpdateFailureActionPause}
	spec.EndpointSpec = &swarm.EndpointSpec{Mode: swarm.ResolutionModeDNSRR}
	createRaw(t, api, host, spec)

	s := open(t, &ServiceConfig{Name: spec.Name, HostConfig: HostConfig{Host: host}})
	scale(t, s, 1)
	before := inspectService(t, api, spec.Name)
	if got := before.Spec.TaskTemplate.ContainerSpec.Image; got != untagged {
		t.Fatalf("image = %s, want it without a tag", got)
	}
	task := taskOfSlot(t, api, before.ID, 1)
	scale(t, s, 3)
	after := inspectService(t, api, spec.Name)
	if n := *after.Spec.Mode.Replicated.Replicas; n != 3 {
		t.Errorf("replicas = %d, want 3", n)
	}
	*after.Spec.Mode.Replicated.Replicas = 1
	if diff := cmp.Diff(before.Spec, after.Spec); diff != "" {
		t.Errorf("more than the count changed:\n%s", diff)
	}
	if got := taskOfSlot(t, api, before.ID, 1); got != task {
		t.Errorf("task %s was replaced by %s", task, got)
	}
}

// createRaw makes a service from exactly this specification.
func createRaw(t testing.TB, api *client.Client, host string, spec swarm.ServiceSpec) {
	t.Helper()
	transport, err := (&HostConfig{Host: host}).transport()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(transport.CloseIdleConnections)
	body, err := json.Marshal(spec)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := (&http.Client{Transport: transport}).Post("http://docker/v1.41/services/create", "application/json", bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	var created struct{ ID, Message string }
	if err := json.NewDecoder(resp.Body).Decode(&created); err != nil || created.ID == "" {
		t.Fatalf("create service: %v %s", err, created.Message)
	}
	t.Cleanup(func() {
		if _, err := api.ServiceRemove(context.Background(), created.ID, client.ServiceRemoveOptions{}); err != nil {
			t.Errorf("remove service: %v", err)
		}
	})
}

func taskOfSlot(t testing.TB, api *client.Client, service string, slot int) string {
	t.Helper()
	tasks, err := api.TaskList(t.Context(), client.TaskListOptions{
		Filters: make(client.Filters).Add("service", service).Add("desired-state", "running"),
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, task := range tasks.Items {
		if task.Slot == slot {
			return task.ID
		}
	}
	t.Fatalf("no task of slot %d", slot)
	return ""
}

func TestServiceThatHasNoReplicas(t *testing.T) {
	t.Parallel()
	host := realtest.Swarm(t)
	api := dockerd(t, host)
	one := uint64(1)
	for want, mode := range map[string]swarm.ServiceMode{
		"global service":         {Global: &swarm.GlobalService{}},
		"replicated-job service": {ReplicatedJob: &swarm.ReplicatedJob{MaxConcurrent: &one, TotalCompletions: &one}},
		"global-job service":     {GlobalJob: &swarm.GlobalJob{}},
	} {
		t.Run(want, func(t *testing.T) {
			spec := idleSpec(t) // the Engine forgets containers of removed jobs
			spec.Mode = mode
			s := open(t, &ServiceConfig{Name: createService(t, api, spec), HostConfig: HostConfig{Host: host}})
			_, err := s.Current(t.Context())
			for _, err := range []error{err, s.Scale(t.Context(), 2)} {
				if target.KindOf(err) != target.KindPermanent || !strings.Contains(err.Error(), want) {
					t.Errorf("%v, want a permanent error that says %q", err, want)
				}
			}
		})
	}
}

// TestServiceConflict lets someone else change the service between our read
// and our write.
func TestServiceConflict(t *testing.T) {
	t.Parallel()
	host := realtest.Swarm(t)
	api := dockerd(t, host)
	name := createService(t, api, idleSpec(t))
	proxied := faulty(t, host, func(_ http.ResponseWriter, r *http.Request) bool {
		if strings.HasSuffix(r.URL.Path, "/update") {
			svc := inspectService(t, api, name)
			svc.Spec.Labels["touched"] = "yes"
			if _, err := api.ServiceUpdate(t.Context(), svc.ID, client.ServiceUpdateOptions{Version: svc.Version, Spec: svc.Spec}); err != nil {
				t.Error(err)
			}
		}
		return false
	})
	s := open(t, &ServiceConfig{Name: name, HostConfig: HostConfig{Host: proxied}})
	err := s.Scale(t.Context(), 3)
	if target.KindOf(err) != target.KindConflict || !strings.Contains(err.Error(), "update out of sequence") {
		t.Errorf("Scale = %v (kind %s), want a conflict", err, target.KindOf(err))
	}
	if n := *inspectService(t, api, name).Spec.Mode.Replicated.Replicas; n != 1 {
		t.Errorf("%d replicas after the conflict, want 1", n)
	}
}

func TestServiceByID(t *testing.T) {
	t.Parallel()
	host := realtest.Swarm(t)
	api := dockerd(t, host)
	id := inspectService(t, api, createService(t, api, idleSpec(t))).ID
	whole := open(t, &ServiceConfig{Name: id, HostConfig: HostConfig{Host: host}})
	if st := current(t, whole); st.Requested != 1 {
		t.Errorf("Current = %+v, want the 1 requested", st)
	}
	part := open(t, &ServiceConfig{Name: id[:12], HostConfig: HostConfig{Host: host}})
	if _, err := part.Current(t.Context()); target.KindOf(err) != target.KindNotFound {
		t.Errorf("the beginning of an ID: %v, want not found", err)
	}
}

// TestServiceWhileTasksStop has replicas that take their time to go: they do
// not serve any more, and do not count.
func TestServiceWhileTasksStop(t *testing.T) {
	t.Parallel()
	host := realtest.Swarm(t)
	api := dockerd(t, host)
	spec := serviceSpec(t, "--ignore-sigterm")
	patience := 2 * converge
	spec.TaskTemplate.ContainerSpec.StopGracePeriod = &patience
	s := open(t, &ServiceConfig{Name: createService(t, api, spec), HostConfig: HostConfig{Host: host}})
	scale(t, s, 3)
	scale(t, s, 1)
	all, err := api.ContainerList(t.Context(), client.ContainerListOptions{
		Filters: make(client.Filters).Add("label", "com.docker.swarm.service.name="+spec.Name),
	})
	if err != nil {
		t.Fatal(err)
	}
	if n := len(all.Items); n != 3 {
		t.Errorf("converged with %d containers that run, want the two that stop among them", n)
	}
	for _, c := range all.Items {
		_, err := api.ContainerKill(t.Context(), c.ID, client.ContainerKillOptions{Signal: "KILL"})
		if err != nil && !errdefs.IsNotFound(err) && !errdefs.IsConflict(err) {
			t.Error(err)
		}
	}
}

// TestServiceDuringUpdate scales in the middle of a rolling update, and after
// one that failed and is paused.
func TestServiceDuringUpdate(t *testing.T) {
	t.Parallel()
	host := realtest.Swarm(t)
	api := dockerd(t, host)
	for _, test := range []struct {
		name  string
		args  []string
		state swarm.UpdateState
		// monitor is how long a task that ends after its start fails the
		// update: long enough for a busy machine where it is to do so.
		monitor time.Duration
	}{
		{"updating", []string{"--stop-delay=100ms"}, swarm.UpdateStateUpdating, time.Second},
		{"paused", []string{"--no-such-flag"}, swarm.UpdateStatePaused, converge},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			spec := serviceSpec(t)
			spec.UpdateConfig = &swarm.UpdateConfig{
				Parallelism: 1, Delay: 500 * time.Millisecond, Monitor: test.monitor,
				FailureAction: swarm.UpdateFailureActionPause, Order: swarm.UpdateOrderStartFirst,
			}
			name := createService(t, api, spec)
			s := open(t, &ServiceConfig{Name: name, HostConfig: HostConfig{Host: host}})
			scale(t, s, 3)
			svc := inspectService(t, api, name)
			svc.Spec.TaskTemplate.ContainerSpec.Args = test.args
			if _, err := api.ServiceUpdate(t.Context(), svc.ID, client.ServiceUpdateOptions{Version: svc.Version, Spec: svc.Spec}); err != nil {
				t.Fatal(err)
			}
			realtest.Eventually(t, converge, 50*time.Millisecond, "the update is "+string(test.state), func() error {
				if us := inspectService(t, api, name).UpdateStatus; us == nil || us.State != test.state {
					return fmt.Errorf("it is %+v", us)
				}
				return nil
			})
			// Swarm writes the progress of an update into the service, so a
			// conflict is to be expected.
			realtest.Eventually(t, converge, 50*time.Millisecond, "the request is accepted", func() error {
				return s.Scale(t.Context(), 5)
			})
			st, err := s.Current(t.Context())
			if err != nil || st.Requested != 5 || st.Ready > 5 {
				t.Errorf("Current = %+v, %v, want 5 requested and no more than that ready", st, err)
			}
			if got := inspectService(t, api, name).Spec.TaskTemplate.ContainerSpec.Args; !cmp.Equal(got, test.args) {
				t.Errorf("arguments = %v, want those of the update: %v", got, test.args)
			}
			if test.state == swarm.UpdateStateUpdating {
				settle(t, s, 5)
			}
		})
	}
}

func TestWithReplicas(t *testing.T) {
	t.Parallel()
	const service = `{"ID":"x","Version":{"Index":7},"Spec":{"Name":"web","Future":{"n":12345678901234567890},` +
		`"Mode":{"Replicated":{"Replicas":2,"AlsoFuture":true}},"TaskTemplate":{"ContainerSpec":{"Image":"web","Env":["A=<b>&c"]}}},"PreviousSpec":{}}`
	got, err := withReplicas([]byte(service), 5)
	if err != nil {
		t.Fatal(err)
	}
	var gotAny, wantAny any
	if err := json.Unmarshal(got, &gotAny); err != nil {
		t.Fatal(err)
	}
	want := `{"Name":"web","Future":{"n":12345678901234567890},"Mode":{"Replicated":{"Replicas":5,"AlsoFuture":true}},` +
		`"TaskTemplate":{"ContainerSpec":{"Image":"web","Env":["A=<b>&c"]}}}`
	if err := json.Unmarshal([]byte(want), &wantAny); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(wantAny, gotAny); diff != "" {
		t.Error(diff)
	}
	if !bytes.Contains(got, []byte("12345678901234567890")) {
		t.Errorf("a number lost digits: %s", got)
	}
	for _, bad := range []string{``, `{}`, `{"Spec":{}}`, `{"Spec":{"Mode":{"Global":{}}}}`, `[]`} {
		if got, err := withReplicas([]byte(bad), 5); err == nil {
			t.Errorf("withReplicas(%s) = %s, want an error", bad, got)
		}
	}
}

// TestServiceNoRoom asks Swarm for more than it finds nodes for.
func TestServiceNoRoom(t *testing.T) {
	t.Parallel()
	host := realtest.Swarm(t)
	api := dockerd(t, host)
	spec := serviceSpec(t)
	spec.TaskTemplate.Placement = &swarm.Placement{MaxReplicas: 2} // of a node, and there is one
	s := open(t, &ServiceConfig{Name: createService(t, api, spec), HostConfig: HostConfig{Host: host}})
	accepts(t, s, 4)
	var st target.State
	realtest.Eventually(t, converge, 100*time.Millisecond, "two run and there is no room for more", func() error {
		if st = current(t, s); st.Failed == nil || st.Ready != 2 {
			return fmt.Errorf("it is %+v", st)
		}
		return nil
	})
	if st.Requested != 4 || st.Ready != 2 || target.KindOf(st.Failed) != target.KindQuota ||
		!strings.Contains(st.Failed.Error(), "Swarm finds no node for them: no suitable node (max replicas per node limit exceed") {
		t.Errorf("Current = %+v, want the quota and Swarm's own words", st)
	}
	// A scale-down to more than have room has not failed.
	accepts(t, s, 3)
	if st = current(t, s); st.Failed != nil {
		t.Errorf("Current = %+v after a scale-down", st)
	}
	accepts(t, s, 2)
	settle(t, s, 2)
	if st = current(t, s); st.Failed != nil {
		t.Errorf("Current = %+v once there is room for all", st)
	}
}
