package docker

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/containerd/errdefs"
	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/client"
	"github.com/prometheus/common/model"

	"github.com/alertscaler/alertscaler/scaler/realtest"
	"github.com/alertscaler/alertscaler/scaler/target"
)

// like returns the configuration of copies of a container.
func like(host, template string) *ContainerConfig {
	return &ContainerConfig{Template: template, HostConfig: HostConfig{Host: host}}
}

// names returns those of the copies, sorted.
func names(t testing.TB, api *client.Client, template string) []string {
	t.Helper()
	var all []string
	for _, c := range copiesOf(t, api, template) {
		all = append(all, ownName(c.Names))
	}
	slices.Sort(all)
	return all
}

// current reads a target that must be readable.
func current(t testing.TB, tgt target.Target) target.State {
	t.Helper()
	st, err := tgt.Current(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return st
}

// gone waits until the copies are these.
func gone(t testing.TB, api *client.Client, template string, want ...string) {
	t.Helper()
	realtest.Eventually(t, converge, 50*time.Millisecond, fmt.Sprintf("the copies are %v", want), func() error {
		if got := names(t, api, template); !slices.Equal(got, want) {
			return fmt.Errorf("they are %v", got)
		}
		return nil
	})
}

func TestContainerNewestGoesFirst(t *testing.T) {
	t.Parallel()
	host := realtest.Docker(t)
	api := dockerd(t, host)
	name := runContainer(t, api, containerOptions(t))
	c := open(t, like(host, name))
	for n := 2; n <= 4; n++ {
		scale(t, c, n)
	}
	scale(t, c, 3)
	gone(t, api, name, name+"-2", name+"-3")
	// One that does not serve goes before any that does.
	if _, err := api.ContainerPause(t.Context(), name+"-2", client.ContainerPauseOptions{}); err != nil {
		t.Fatal(err)
	}
	if st := current(t, c); st.Requested != 3 || st.Ready != 2 {
		t.Errorf("Current = %+v with one of three paused", st)
	}
	scale(t, c, 2)
	gone(t, api, name, name+"-3")
	// And its name is used again.
	scale(t, c, 3)
	gone(t, api, name, name+"-2", name+"-3")
}

// TestContainerDrains has copies that take their time: the request is accepted
// at once, is visible to anyone, and Close waits for its end.
func TestContainerDrains(t *testing.T) {
	t.Parallel()
	host := realtest.Docker(t)
	api := dockerd(t, host)
	name := runContainer(t, api, containerOptions(t, "--stop-delay=3s"))
	c := build(t, like(host, name))
	scale(t, c, 3)
	if err := c.Scale(t.Context(), 1); err != nil {
		t.Fatal(err)
	}
	going := names(t, api, name)
	if len(going) != 2 {
		t.Errorf("there are %v right after Scale, which must not wait for the drain", going)
	}
	for _, n := range going {
		if !strings.Contains(n, "-draining-") {
			t.Errorf("%s does not look as if it was going", n)
		}
	}
	other := open(t, like(host, name)) // a server that was restarted
	for _, tgt := range []target.Target{c, other} {
		if st := current(t, tgt); st.Requested != 1 || st.Ready != 1 {
			t.Errorf("Current = %+v while two drain, want one", st)
		}
	}
	// The names are free while their last holders drain.
	scale(t, other, 2)
	if err := c.(target.Closer).Close(); err != nil {
		t.Fatal(err)
	}
	if got := names(t, api, name); !slices.Equal(got, []string{name + "-2"}) {
		t.Errorf("after Close there are %v", got)
	}
}

func TestContainerStopTimeout(t *testing.T) {
	t.Parallel()
	host := realtest.Docker(t)
	api := dockerd(t, host)
	o := containerOptions(t, "--ignore-sigterm")
	own := int(2 * converge / time.Second)
	o.Config.StopTimeout = &own
	name := runContainer(t, api, o)
	second := model.Duration(time.Second)
	cfg := like(host, name)
	cfg.StopTimeout = &second
	c := build(t, cfg)
	scale(t, c, 2)
	start := time.Now()
	if err := c.Scale(t.Context(), 1); err != nil {
		t.Fatal(err)
	}
	if err := c.(target.Closer).Close(); err != nil {
		t.Fatal(err)
	}
	if took := time.Since(start); took < time.Second || took > converge {
		t.Errorf("gone after %v, want a second and a little, and not the container's own %ds", took, own)
	}
}

func TestStopTimeout(t *testing.T) {
	t.Parallel()
	minute, four := model.Duration(time.Minute), 240
	for _, test := range []struct {
		name       string
		configured *model.Duration
		own        *int
		want       time.Duration
	}{
		{"the Engine's", nil, nil, 10 * time.Second},
		{"the container's", nil, &four, 4 * time.Minute},
		{"the configured one", &minute, &four, time.Minute},
	} {
		f := &fleet{template: container.InspectResponse{Config: &container.Config{StopTimeout: test.own}}}
		c := &containers{cfg: ContainerConfig{StopTimeout: test.configured}}
		if got := c.stopTimeout(f); got != test.want {
			t.Errorf("%s: %v, want %v", test.name, got, test.want)
		}
	}
}

// TestContainerThatDied counts no more; what takes its place is new, and its
// remains are removed.
func TestContainerThatDied(t *testing.T) {
	t.Parallel()
	host := realtest.Docker(t)
	api := dockerd(t, host)
	name := runContainer(t, api, containerOptions(t))
	c := open(t, like(host, name))
	scale(t, c, 3)
	dead := copiesOf(t, api, name)[0]
	if _, err := api.ContainerKill(t.Context(), dead.ID, client.ContainerKillOptions{Signal: "KILL"}); err != nil {
		t.Fatal(err)
	}
	realtest.Eventually(t, converge, 50*time.Millisecond, "two are left", func() error {
		if st := current(t, c); st.Requested != 2 || st.Ready != 2 {
			return fmt.Errorf("it is %+v", st)
		}
		return nil
	})
	scale(t, c, 3)
	realtest.Eventually(t, converge, 50*time.Millisecond, "the remains are removed", func() error {
		all := copiesOf(t, api, name)
		if len(all) != 2 || slices.ContainsFunc(all, func(s container.Summary) bool { return s.ID == dead.ID }) {
			return fmt.Errorf("%d copies", len(all))
		}
		return nil
	})
}

// TestContainerTemplate is stopped by the last step down, and nothing else.
func TestContainerTemplate(t *testing.T) {
	t.Parallel()
	host := realtest.Docker(t)
	api := dockerd(t, host)
	// It stops when it is told to, and not after a time that a busy machine
	// may need for the requests between.
	o := containerOptions(t, "--ignore-sigterm")
	patience := int(2 * converge / time.Second)
	o.Config.StopTimeout = &patience
	name := runContainer(t, api, o)
	c := open(t, like(host, name))
	scale(t, c, 2)
	if err := c.Scale(t.Context(), 0); err != nil {
		t.Fatal(err)
	}
	if st := current(t, c); st != (target.State{}) {
		t.Errorf("Current = %+v right after the request, want nothing", st)
	}
	// The template is still stopping: a copy takes its place.
	scale(t, c, 1)
	state := func() container.ContainerState {
		t.Helper()
		return inspectContainer(t, api, name).State.Status
	}
	if got := state(); got != container.StateRunning {
		t.Fatalf("the template is %s, want it still stopping", got)
	}
	kill := func(name string) {
		t.Helper()
		_, err := api.ContainerKill(t.Context(), name, client.ContainerKillOptions{Signal: "KILL"})
		if err != nil && !errdefs.IsNotFound(err) && !errdefs.IsConflict(err) {
			t.Error(err)
		}
	}
	kill(name)
	stopped(t, api, name)
	template := inspectContainer(t, api, name).ID
	realtest.Eventually(t, converge, 10*time.Millisecond, "the stop has its answer", func() error {
		if c.(*containers).isLeaving(template) {
			return errors.New("not yet")
		}
		return nil
	})
	killDraining := func() {
		t.Helper()
		for _, s := range copiesOf(t, api, name) {
			if n := ownName(s.Names); strings.Contains(n, "-draining-") {
				kill(n)
			}
		}
	}
	killDraining()
	gone(t, api, name, name+"-2")
	scale(t, c, 0)
	killDraining()
	gone(t, api, name)
	if got := state(); got != container.StateExited {
		t.Errorf("the template is %s, want exited", got)
	}
	scale(t, c, 1)
	if got := state(); got != container.StateRunning {
		t.Errorf("the template is %s, want running", got)
	}
	gone(t, api, name)
}

func TestContainerTemplatesThatDoNotDo(t *testing.T) {
	t.Parallel()
	host := realtest.Swarm(t)
	api := dockerd(t, host)
	refuses := func(template, says string, n int) {
		t.Helper()
		err := open(t, like(host, template)).Scale(t.Context(), n)
		if target.KindOf(err) != target.KindPermanent || !strings.Contains(err.Error(), says) {
			t.Errorf("Scale(%d) = %v, want a permanent error that says %q", n, err, says)
		}
	}
	rm := containerOptions(t)
	rm.HostConfig.AutoRemove = true
	removed := runContainer(t, api, rm)
	refuses(removed, "--rm", 0)
	scale(t, open(t, like(host, removed)), 2)
	refuses(removed+"-2", "a copy itself", 2)

	service := createService(t, api, serviceSpec(t))
	settle(t, open(t, &ServiceConfig{Name: service, HostConfig: HostConfig{Host: host}}), 1)
	task, err := api.ContainerList(t.Context(), client.ContainerListOptions{
		Filters: make(client.Filters).Add("label", "com.docker.swarm.service.name="+service),
	})
	if err != nil || len(task.Items) != 1 {
		t.Fatalf("containers of the service: %v, %v", task.Items, err)
	}
	refuses(task.Items[0].ID, "docker_service", 2)
}

func TestContainerNameTaken(t *testing.T) {
	t.Parallel()
	host := realtest.Docker(t)
	api := dockerd(t, host)
	name := runContainer(t, api, containerOptions(t))
	taken := containerOptions(t)
	taken.Name = name + "-2"
	runContainer(t, api, taken)
	c := open(t, like(host, name))
	scale(t, c, 3)
	if got := names(t, api, name); !slices.Equal(got, []string{name + "-3", name + "-4"}) {
		t.Errorf("copies = %v", got)
	}
	cfg := like(host, name)
	cfg.NamePrefix = name + "-more"
	scale(t, open(t, cfg), 4)
	if got := names(t, api, name); !slices.Contains(got, name+"-more-2") {
		t.Errorf("copies = %v, want one with the prefix", got)
	}
}

// TestContainerPartialFailure fails some of several copies, at each step of
// making one. What there is afterwards is whole, and counted.
func TestContainerPartialFailure(t *testing.T) {
	t.Parallel()
	host := realtest.Docker(t)
	api := dockerd(t, host)
	for _, test := range []struct {
		name, step string
		fault      func(http.ResponseWriter, *http.Request) bool
		want       target.Kind
		says       string
	}{
		{"no image", "/create", answers(404, "No such image: shop:latest"), target.KindPermanent, "No such image"},
		{"create", "/create", answers(500, "no space left on device"), target.KindTemporary, "no space left"},
		{"start", "/start", answers(500, "port is already allocated"), target.KindTemporary, "already allocated"},
		{"forbidden", "/start", answers(403, "denied by policy"), target.KindUnauthorized, "denied"},
		{"hang", "/start", hangs, target.KindTemporary, "canceled"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			name := runContainer(t, api, containerOptions(t))
			var calls atomic.Int32
			proxied := faulty(t, host, func(w http.ResponseWriter, r *http.Request) bool {
				return strings.HasSuffix(r.URL.Path, test.step) && calls.Add(1) > 1 && test.fault(w, r)
			})
			c := open(t, like(proxied, name))
			ctx, cancel := context.WithTimeout(t.Context(), converge)
			defer cancel()
			if test.name == "hang" {
				go func() {
					defer cancel()
					twoRun(ctx, api, name)
				}()
			}
			err := c.Scale(ctx, 6)
			if target.KindOf(err) != test.want || !strings.Contains(err.Error(), test.says) {
				t.Errorf("Scale = %v (kind %s), want kind %s and %q", err, target.KindOf(err), test.want, test.says)
			}
			settle(t, c, 2)
			if got := names(t, api, name); len(got) != 1 {
				t.Errorf("copies = %v, want the one that worked", got)
			}
			// With the fault gone the request works, as it is absolute.
			direct := open(t, like(host, name))
			scale(t, direct, 3)
			scale(t, direct, 0)
		})
	}
}

// twoRun waits until the template and one copy run, and a little more, for the
// answer to the request that started it.
func twoRun(ctx context.Context, api *client.Client, template string) {
	running := make(client.Filters).Add("label", "alertscaler.template="+template).Add("status", "running")
	for ctx.Err() == nil {
		list, err := api.ContainerList(ctx, client.ContainerListOptions{Filters: running})
		if err == nil && len(list.Items) > 0 {
			time.Sleep(2 * time.Second)
			return
		}
		time.Sleep(50 * time.Millisecond)
	}
}

// TestContainerHostPorts cannot share what the template has published.
func TestContainerHostPorts(t *testing.T) {
	t.Parallel()
	host := realtest.Docker(t)
	api := dockerd(t, host)
	o := containerOptions(t)
	port := mustPort("8080/tcp")
	free := strconv.Itoa(realtest.FreePort(t))
	loopback := netip.MustParseAddr("127.0.0.1")
	o.Config.ExposedPorts = map[portType]struct{}{port: {}}
	o.HostConfig.PortBindings = map[portType][]bindingType{port: {{HostIP: loopback, HostPort: free}}}
	name := runContainer(t, api, o)
	c := open(t, like(host, name))
	scale(t, c, 3)
	seen := map[string]bool{free: true}
	for _, s := range copiesOf(t, api, name) {
		res, err := api.ContainerInspect(t.Context(), s.ID, client.ContainerInspectOptions{})
		if err != nil {
			t.Fatal(err)
		}
		for _, b := range res.Container.NetworkSettings.Ports[port] {
			if b.HostIP != loopback || b.HostPort == "" || seen[b.HostPort] {
				t.Errorf("a copy is published at %s:%s, want a port of its own at %s", b.HostIP, b.HostPort, loopback)
			}
			seen[b.HostPort] = true
		}
	}
	if len(seen) != 3 {
		t.Errorf("%d published ports, want 3", len(seen))
	}
}
