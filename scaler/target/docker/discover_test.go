package docker

import (
	"context"
	"fmt"
	"net/http"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/api/types/swarm"
	"github.com/moby/moby/client"

	"github.com/alertscaler/alertscaler/scaler/realtest"
	"github.com/alertscaler/alertscaler/scaler/target"
)

// openDiscoverer builds a discoverer that the test's end closes.
func openDiscoverer(t testing.TB, cfg target.DiscoveryConfig) target.Discoverer {
	t.Helper()
	if err := cfg.Validate(); err != nil {
		t.Fatal(err)
	}
	d, err := cfg.New(target.Options{Name: "test"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := d.(target.Closer).Close(); err != nil {
			t.Error(err)
		}
	})
	return d
}

// discover lists, and returns what is found of the names; other tests make
// things too.
func discover(t testing.TB, d target.Discoverer, names ...string) map[string]target.Discovered {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), converge)
	defer cancel()
	all, err := d.Discover(ctx)
	if err != nil {
		t.Fatal(err)
	}
	out := make(map[string]target.Discovered)
	for _, f := range all {
		if !slices.Contains(names, f.Name) {
			continue
		}
		if _, ok := out[f.Name]; ok {
			t.Errorf("%s was found twice", f.Name)
		}
		out[f.Name] = f
	}
	return out
}

// wantFound checks one thing found.
func wantFound(t testing.TB, found map[string]target.Discovered, name, scaleTarget, what string, labels map[string]string) {
	t.Helper()
	got, ok := found[name]
	if !ok {
		t.Errorf("%s was not found", name)
		return
	}
	if got.ScaleTarget != scaleTarget || got.What != what {
		t.Errorf("%s is %q with scale_target %q, want %q and %q", name, got.What, got.ScaleTarget, what, scaleTarget)
	}
	if diff := cmp.Diff(labels, got.Labels); diff != "" {
		t.Errorf("labels of %s (-want +got):\n%s", name, diff)
	}
}

// TestDiscoverServices finds labelled services, and scales one by what was
// found.
func TestDiscoverServices(t *testing.T) {
	t.Parallel()
	host := realtest.Swarm(t)
	api := dockerd(t, host)
	labelled := func(spec swarm.ServiceSpec, labels map[string]string) string {
		spec.Labels = labels
		return createService(t, api, spec)
	}
	on := labelled(serviceSpec(t), map[string]string{"alertscaler.enable": "true", "alertscaler.max": "4", "com.example.team": "shop"})
	off := labelled(idleSpec(t), map[string]string{"alertscaler.enable": "false"})
	without := labelled(idleSpec(t), map[string]string{"alertscaler.max": "4"})
	spec := idleSpec(t)
	spec.Labels = map[string]string{"alertscaler.enable": "yes"}
	spec.TaskTemplate.ContainerSpec.Labels = map[string]string{"alertscaler.enable": "true", "alertscaler.scale_target": "shop"}
	named := createService(t, api, spec)
	spec = idleSpec(t)
	spec.Labels = nil
	spec.TaskTemplate.ContainerSpec.Labels = map[string]string{"alertscaler.enable": "true"}
	inside := createService(t, api, spec)

	var clients Clients
	d := openDiscoverer(t, &ServicesConfig{HostConfig: HostConfig{Host: host}, clients: &clients})
	found := discover(t, d, on, off, without, named, inside)
	if len(found) != 3 {
		t.Errorf("found %v, want three", found)
	}
	wantFound(t, found, on, on, "service "+on, map[string]string{"enable": "true", "max": "4"})
	wantFound(t, found, off, off, "service "+off, map[string]string{"enable": "false"})
	// The rules go by what its containers carry.
	wantFound(t, found, named, "shop", "service "+named, map[string]string{"enable": "yes"})

	want := &ServiceConfig{Name: on, HostConfig: HostConfig{Host: host}}
	if got := found[on].Target.Identity(); got != want.Identity() {
		t.Errorf("identity %q, want that of the configured one, %q", got, want.Identity())
	}
	// What did not change is equal to what was found before: the engine goes on
	// with the target that it has.
	if again := discover(t, d, on); !reflect.DeepEqual(again[on], found[on]) {
		t.Errorf("found again: %+v, before %+v", again[on], found[on])
	}
	tgt := open(t, found[on].Target)
	if n := clients.pool.Len(); n != 1 {
		t.Errorf("%d clients of one Engine", n)
	}
	scale(t, tgt, 2)

	if _, err := api.ServiceRemove(t.Context(), off, client.ServiceRemoveOptions{}); err != nil {
		t.Fatal(err)
	}
	if found := discover(t, d, off); len(found) != 0 {
		t.Errorf("what was removed is found: %v", found)
	}
}

// TestDiscoverContainers finds labelled containers, and none of the copies
// made of one.
func TestDiscoverContainers(t *testing.T) {
	t.Parallel()
	host := realtest.Docker(t)
	api := dockerd(t, host)
	run := func(labels map[string]string) string {
		o := containerOptions(t)
		o.Config.Labels = labels
		return runContainer(t, api, o)
	}
	enable := map[string]string{"alertscaler.enable": "true", "alertscaler.min": "1"}
	plain := run(enable)
	project := unique(t)
	compose := func(number, service string) string {
		return run(map[string]string{
			"alertscaler.enable": "true", composeProject: project, composeService: service, composeNumber: number,
		})
	}
	compose("10", "web")
	compose("2", "web")
	// One of ours may be all that is left of a compose service.
	run(map[string]string{
		"alertscaler.enable": "true", "alertscaler.managed": "true",
		composeProject: project, composeService: "db", composeNumber: "2",
	})
	once := run(map[string]string{
		"alertscaler.enable": "true", composeProject: project, composeService: "migration", composeOneOff: "True",
	})
	task := run(map[string]string{"alertscaler.enable": "true", "com.docker.swarm.service.name": "other"})

	d := openDiscoverer(t, &ContainersConfig{HostConfig: HostConfig{Host: host}})
	web, db := project+"_web", project+"_db"
	found := discover(t, d, plain, web, db, task, once, project+"_migration")
	wantFound(t, found, plain, plain, "container "+plain, map[string]string{"enable": "true", "min": "1"})
	wantFound(t, found, web, web, "service web of compose project "+project, map[string]string{"enable": "true"})
	wantFound(t, found, db, db, "service db of compose project "+project, map[string]string{"enable": "true", "managed": "true"})
	if _, ok := found[project+"_migration"]; ok {
		t.Error("a one-off container of compose was found; nobody wants more of it")
	}
	if _, ok := found[task]; ok {
		t.Error("a task of a swarm was found; its service is what can be scaled")
	}
	if got, want := found[web].Target.(*ContainerConfig).Compose, (&ComposeConfig{Project: project, Service: "web"}); !cmp.Equal(got, want) {
		t.Errorf("the compose service is scaled as %v, want %v", got, want)
	}

	// Copies are no things of their own, and a stopped template still is one.
	tgt := open(t, found[plain].Target)
	scale(t, tgt, 3)
	copies := make([]string, 0, 2)
	for _, c := range copiesOf(t, api, plain) {
		copies = append(copies, ownName(c.Names))
	}
	if len(copies) != 2 {
		t.Fatalf("copies %v, want two", copies)
	}
	if found := discover(t, d, append(copies, plain)...); len(found) != 1 {
		t.Errorf("found %v, want the template alone", found)
	}
	scale(t, tgt, 0)
	realtest.Eventually(t, converge, 100*time.Millisecond, "the template stops", func() error {
		res, err := api.ContainerInspect(t.Context(), plain, client.ContainerInspectOptions{})
		if err == nil && res.Container.State.Status != container.StateExited {
			err = fmt.Errorf("it is %s", res.Container.State.Status)
		}
		return err
	})
	if found := discover(t, d, plain); len(found) != 1 {
		t.Error("a template that was scaled to none is gone")
	}
}

// TestDiscoverFailures: what cannot be listed is an error, never an empty list.
func TestDiscoverFailures(t *testing.T) {
	t.Parallel()
	host := realtest.Docker(t)
	for name, test := range map[string]struct {
		fault func(http.ResponseWriter, *http.Request) bool
		want  target.Kind
	}{
		"no manager":   {answers(http.StatusServiceUnavailable, "This node is not a swarm manager."), target.KindTemporary},
		"unauthorized": {answers(http.StatusForbidden, "no"), target.KindUnauthorized},
		"cut":          {cut, target.KindTemporary},
		"hanging":      {hangs, target.KindTemporary},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := HostConfig{Host: faulty(t, host, test.fault)}
			for _, cfg := range []target.DiscoveryConfig{&ServicesConfig{HostConfig: h}, &ContainersConfig{HostConfig: h}} {
				ctx, cancel := context.WithTimeout(t.Context(), time.Second)
				found, err := openDiscoverer(t, cfg).Discover(ctx)
				cancel()
				if target.KindOf(err) != test.want || found != nil {
					t.Errorf("%s: %v, %v (kind %s), want kind %s", cfg.Platform(), found, err, target.KindOf(err), test.want)
				}
			}
		})
	}
	if err := (&ServicesConfig{HostConfig: HostConfig{Host: "ssh://docker"}}).Validate(); err == nil {
		t.Error("an address that nobody speaks is valid")
	}
}
