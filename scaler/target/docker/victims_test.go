package docker

import (
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/client"

	"github.com/alertscaler/alertscaler/scaler/realtest"
	"github.com/alertscaler/alertscaler/scaler/target"
)

// replicasOf reads the replicas and returns them by name.
func replicasOf(t testing.TB, tgt target.Target) map[string]target.Replica {
	t.Helper()
	all, err := tgt.(target.Victims).Replicas(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	byName := make(map[string]target.Replica, len(all.List))
	for _, r := range all.List {
		byName[r.Name] = r
	}
	return byName
}

// TestLeastLoadedGo has five containers, two of which are named because they
// have the least to do: these are gone, the others are the same as before.
func TestLeastLoadedGo(t *testing.T) {
	t.Parallel()
	host := realtest.Docker(t)
	api := dockerd(t, host)
	for _, test := range []struct {
		name string
		new  func(t *testing.T) (c target.Target, prefix string, ids func() map[string]string)
	}{
		{"template", func(t *testing.T) (target.Target, string, func() map[string]string) {
			name := runContainer(t, api, containerOptions(t))
			return open(t, like(host, name)), name + "-", func() map[string]string { return idsOf(copiesOf(t, api, name)) }
		}},
		{"compose", func(t *testing.T) (target.Target, string, func() map[string]string) {
			project := composeUp(t, api, 2)
			return open(t, webOf(host, project)), project + "-web-", func() map[string]string { return idsOf(composePs(t, api, project)) }
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			c, prefix, ids := test.new(t)
			scale(t, c, 5)
			want := ids()
			idle := []string{prefix + "3", prefix + "2"}
			all := replicasOf(t, c)
			var victims []string
			for _, name := range idle {
				victims = append(victims, all[name].ID)
				delete(want, name)
			}
			if err := c.(target.Victims).ScaleDown(t.Context(), 3, victims); err != nil {
				t.Fatal(err)
			}
			settle(t, c, 3)
			realtest.Eventually(t, converge, 50*time.Millisecond, "the two are gone and the others untouched", func() error {
				if diff := cmp.Diff(want, ids()); diff != "" {
					return errors.New(diff)
				}
				return nil
			})
		})
	}
}

// idsOf returns the containers' IDs by their names.
func idsOf(all []container.Summary) map[string]string {
	ids := make(map[string]string, len(all))
	for _, s := range all {
		ids[ownName(s.Names)] = s.ID
	}
	return ids
}

// TestTemplateAsVictim is stopped and stays, but where it was started with
// --rm: then another goes.
func TestTemplateAsVictim(t *testing.T) {
	t.Parallel()
	host := realtest.Docker(t)
	api := dockerd(t, host)
	for _, rm := range []bool{false, true} {
		o := containerOptions(t)
		o.HostConfig.AutoRemove = rm
		name := runContainer(t, api, o)
		c := open(t, like(host, name))
		scale(t, c, 3)
		template := replicasOf(t, c)[name]
		if err := c.(target.Victims).ScaleDown(t.Context(), 2, []string{template.ID}); err != nil {
			t.Fatal(err)
		}
		settle(t, c, 2)
		if _, ok := replicasOf(t, c)[name]; ok != rm {
			t.Errorf("started with --rm %v: the template is a replica %v", rm, ok)
		}
		if rm {
			gone(t, api, name, name+"-2")
			continue
		}
		gone(t, api, name, name+"-2", name+"-3")
		stopped(t, api, name)
		// It is the first to come back.
		scale(t, c, 3)
		if r, ok := replicasOf(t, c)[name]; !ok || r.ID != template.ID {
			t.Errorf("the template is %+v, want it started again", r)
		}
	}
}

// stopped waits until a container has ended, the Engine taking its time.
func stopped(t testing.TB, api *client.Client, name string) {
	t.Helper()
	wait := api.ContainerWait(t.Context(), name, client.ContainerWaitOptions{Condition: container.WaitConditionNotRunning})
	select {
	case <-wait.Result:
	case err := <-wait.Error:
		t.Fatal(err)
	}
}

// TestReplicaNames are those that cAdvisor and whoever scrapes addresses use.
func TestReplicaNames(t *testing.T) {
	t.Parallel()
	host := realtest.Docker(t)
	api := dockerd(t, host)
	front, back := createNetwork(t, api), createNetwork(t, api)
	o := containerOptions(t)
	o.HostConfig.NetworkMode = container.NetworkMode(front)
	name := runContainer(t, api, o)
	if _, err := api.NetworkConnect(t.Context(), back, client.NetworkConnectOptions{Container: name}); err != nil {
		t.Fatal(err)
	}
	c := open(t, like(host, name))
	scale(t, c, 2)
	all := replicasOf(t, c)
	for _, n := range []string{name, name + "-2"} {
		is := inspectContainer(t, api, n)
		primary := is.NetworkSettings.Networks[front].IPAddress.String()
		r := all[n]
		if r.ID != is.ID || r.Address != primary || !r.Ready {
			t.Errorf("%+v, want container %s at %s, ready", r, is.ID, primary)
		}
		for _, alias := range []string{
			is.ID, is.ID[:12], "/docker/" + is.ID, primary, is.NetworkSettings.Networks[back].IPAddress.String(),
		} {
			if !slices.Contains(r.Aliases, alias) {
				t.Errorf("aliases of %s = %v, want %s", n, r.Aliases, alias)
			}
		}
	}
	scale(t, c, 1)
	gone(t, api, name)

	o = containerOptions(t)
	o.HostConfig.NetworkMode = "none"
	name = runContainer(t, api, o)
	if r := replicasOf(t, open(t, like(host, name)))[name]; r.Address != "" || len(r.Aliases) != 4 {
		t.Errorf("%+v, want no address without a network", r)
	}
}
