package docker

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/containerd/errdefs"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/api/types/network"
	"github.com/moby/moby/client"

	"github.com/alertscaler/alertscaler/scaler/realtest"
	"github.com/alertscaler/alertscaler/scaler/target"
)

// composeUp makes what docker compose up --scale web=N does: containers of the
// service web, labelled and named as Compose v2 does it. The test's end removes
// all of the project.
func composeUp(t testing.TB, api *client.Client, n int, args ...string) (project string) {
	t.Helper()
	project = "p" + strings.ReplaceAll(strings.TrimLeft(unique(t), "-"), ".", "")
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		for _, c := range composePs(t, api, project) {
			_, err := api.ContainerRemove(ctx, c.ID, client.ContainerRemoveOptions{Force: true, RemoveVolumes: true})
			if err != nil && !errdefs.IsNotFound(err) && !errdefs.IsConflict(err) {
				t.Errorf("remove container: %v", err)
			}
		}
	})
	for i := 1; i <= n; i++ {
		composeRun(t, api, composeOptions(t, project, i, args...))
	}
	return project
}

// composeOptions are those of one container of the service.
func composeOptions(t testing.TB, project string, number int, args ...string) client.ContainerCreateOptions {
	o := containerOptions(t, args...)
	o.Name = project + "-web-" + strconv.Itoa(number)
	maps.Copy(o.Config.Labels, map[string]string{
		"com.docker.compose.config-hash":          "0f5c4e3b1f",
		"com.docker.compose.container-number":     strconv.Itoa(number),
		"com.docker.compose.depends_on":           "",
		"com.docker.compose.image":                "sha256:30bef1c0ded1",
		"com.docker.compose.oneoff":               "False",
		"com.docker.compose.project":              project,
		"com.docker.compose.project.config_files": "/srv/shop/compose.yaml",
		"com.docker.compose.project.working_dir":  "/srv/shop",
		"com.docker.compose.service":              "web",
		"com.docker.compose.version":              "2.36.0",
	})
	return o
}

func composeRun(t testing.TB, api *client.Client, o client.ContainerCreateOptions) (id string) {
	t.Helper()
	created, err := api.ContainerCreate(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := api.ContainerStart(t.Context(), created.ID, client.ContainerStartOptions{}); err != nil {
		t.Fatal(err)
	}
	return created.ID
}

// composePs lists the containers of a project, whatever their state.
func composePs(t testing.TB, api *client.Client, project string) []container.Summary {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	list, err := api.ContainerList(ctx, client.ContainerListOptions{
		All: true, Filters: make(client.Filters).Add("label", "com.docker.compose.project="+project),
	})
	if err != nil {
		t.Fatal(err)
	}
	return list.Items
}

// compose waits until the project has these containers: their names without
// the project's, and their states.
func compose(t testing.TB, api *client.Client, project string, want ...string) {
	t.Helper()
	realtest.Eventually(t, converge, 50*time.Millisecond, fmt.Sprintf("the containers are %v", want), func() error {
		var got []string
		for _, c := range composePs(t, api, project) {
			got = append(got, strings.TrimPrefix(ownName(c.Names), project+"-")+" "+string(c.State))
		}
		if slices.Sort(got); !slices.Equal(got, want) {
			return fmt.Errorf("they are %v", got)
		}
		return nil
	})
}

// webOf returns the configuration of the project's service web.
func webOf(host, project string) *ContainerConfig {
	return &ContainerConfig{Compose: &ComposeConfig{Project: project, Service: "web"}, HostConfig: HostConfig{Host: host}}
}

// TestComposeService goes up and down with containers that Compose made and
// that we made.
func TestComposeService(t *testing.T) {
	t.Parallel()
	host := realtest.Docker(t)
	api := dockerd(t, host)
	project := composeUp(t, api, 2)
	other := composeOptions(t, project, 1)
	other.Name, other.Config.Labels["com.docker.compose.service"] = project+"-db-1", "db"
	composeRun(t, api, other)
	oneOff := composeOptions(t, project, 1)
	oneOff.Name, oneOff.Config.Labels["com.docker.compose.oneoff"] = project+"-web-run-0f5c4e3b1f", "True"
	composeRun(t, api, oneOff)
	rest := []string{"db-1 running", "web-run-0f5c4e3b1f running"}
	all := func(web ...string) {
		t.Helper()
		want := append(slices.Clone(rest), web...)
		slices.Sort(want)
		compose(t, api, project, want...)
	}

	c := open(t, webOf(host, project))
	settle(t, c, 2)
	scale(t, c, 4)
	all("web-1 running", "web-2 running", "web-3 running", "web-4 running")
	// The next free number, and not the next one.
	if _, err := api.ContainerRemove(t.Context(), project+"-web-2", client.ContainerRemoveOptions{Force: true}); err != nil {
		t.Fatal(err)
	}
	settle(t, c, 3)
	scale(t, c, 4)
	all("web-1 running", "web-2 running", "web-3 running", "web-4 running")

	// The last one is there to be started again, also by Compose.
	scale(t, c, 0)
	all("web-1 exited")
	scale(t, c, 2)
	all("web-1 running", "web-2 running")

	// docker compose stop, and one that crashed: started again before others
	// are made.
	for _, n := range []string{"1", "2"} {
		if _, err := api.ContainerStop(t.Context(), project+"-web-"+n, client.ContainerStopOptions{}); err != nil {
			t.Fatal(err)
		}
	}
	settle(t, c, 0)
	before := inspectContainer(t, api, project+"-web-2").ID
	scale(t, c, 3)
	all("web-1 running", "web-2 running", "web-3 running")
	if after := inspectContainer(t, api, project+"-web-2").ID; after != before {
		t.Error("a stopped container was replaced, want it started")
	}
	// On the way down what has ended goes.
	if _, err := api.ContainerStop(t.Context(), project+"-web-2", client.ContainerStopOptions{}); err != nil {
		t.Fatal(err)
	}
	settle(t, c, 2)
	scale(t, c, 1)
	all("web-1 running")
}

// TestComposeCopy is one of the service, as far as Compose can tell.
func TestComposeCopy(t *testing.T) {
	t.Parallel()
	host := realtest.Docker(t)
	api := dockerd(t, host)
	project := composeUp(t, api, 0)
	net := createNetwork(t, api)
	for i := 2; i <= 3; i++ {
		o := composeOptions(t, project, i)
		o.Config.Labels["alertscaler.enable"] = "true"
		o.Config.Labels["com.docker.compose.replace"] = "f00"
		o.HostConfig.NetworkMode = container.NetworkMode(net)
		o.NetworkingConfig = &network.NetworkingConfig{EndpointsConfig: map[string]*network.EndpointSettings{
			net: {Aliases: []string{o.Name, "web"}},
		}}
		composeRun(t, api, o)
	}
	t.Cleanup(func() { // before the network's removal
		for _, c := range composePs(t, api, project) {
			_, _ = api.ContainerRemove(context.Background(), c.ID, client.ContainerRemoveOptions{Force: true})
		}
	})
	c := build(t, webOf(host, project))
	scale(t, c, 3)
	first, made := inspectContainer(t, api, project+"-web-2"), inspectContainer(t, api, project+"-web-1")
	want := maps.Clone(first.Config.Labels)
	delete(want, "com.docker.compose.replace")
	maps.Copy(want, map[string]string{
		"com.docker.compose.container-number": "1",
		"alertscaler.managed":                 "true", "alertscaler.scale_target": "shop/web",
	})
	if diff := cmp.Diff(want, made.Config.Labels); diff != "" {
		t.Errorf("labels (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(first.Config, made.Config, cmpopts.IgnoreFields(container.Config{}, "Hostname", "Labels")); diff != "" {
		t.Errorf("configuration (-first +copy):\n%s", diff)
	}
	aliases := made.NetworkSettings.Networks[net].Aliases
	if !slices.Contains(aliases, "web") || slices.Contains(aliases, project+"-web-2") {
		t.Errorf("aliases = %v, want the service's and not another container's", aliases)
	}
	if err := c.(target.Closer).Close(); err != nil {
		t.Fatal(err)
	}
}

// TestComposeContainerThatCannotStart is left as it is, and others are made.
func TestComposeContainerThatCannotStart(t *testing.T) {
	t.Parallel()
	host := realtest.Docker(t)
	api := dockerd(t, host)
	project := composeUp(t, api, 1)
	broken := composeOptions(t, project, 2)
	broken.Config.Entrypoint = []string{"/no-such-program"}
	created, err := api.ContainerCreate(t.Context(), broken)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := api.ContainerStart(t.Context(), created.ID, client.ContainerStartOptions{}); err == nil {
		t.Fatal("a container without a program started")
	}
	if _, err := api.ContainerStop(t.Context(), project+"-web-1", client.ContainerStopOptions{}); err != nil {
		t.Fatal(err)
	}
	c := open(t, webOf(host, project))
	scale(t, c, 2)
	compose(t, api, project, "web-1 running", "web-2 created", "web-3 running")
}
