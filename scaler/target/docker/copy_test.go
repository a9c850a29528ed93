package docker

import (
	"context"
	"maps"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/api/types/mount"
	"github.com/moby/moby/api/types/network"
	"github.com/moby/moby/client"

	"github.com/alertscaler/alertscaler/scaler/realtest"
)

type (
	portType    = network.Port
	bindingType = network.PortBinding
)

func mustPort(s string) network.Port { return network.MustParsePort(s) }

// createNetwork makes a network that the test's end removes.
func createNetwork(t testing.TB, api *client.Client) string {
	t.Helper()
	name := strings.TrimLeft(unique(t), "-")
	if _, err := api.NetworkCreate(t.Context(), name, client.NetworkCreateOptions{Driver: "bridge"}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if _, err := api.NetworkRemove(context.Background(), name, client.NetworkRemoveOptions{}); err != nil {
			t.Errorf("remove network: %v", err)
		}
	})
	return name
}

func inspectContainer(t testing.TB, api *client.Client, name string) container.InspectResponse {
	t.Helper()
	res, err := api.ContainerInspect(t.Context(), name, client.ContainerInspectOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return res.Container
}

// TestCopyIsLikeItsTemplate compares a copy with a template that uses much of
// what a container can have.
func TestCopyIsLikeItsTemplate(t *testing.T) {
	t.Parallel()
	host := realtest.Docker(t)
	api := dockerd(t, host)
	front, back := createNetwork(t, api), createNetwork(t, api)
	pids, stop := int64(64), 3
	o := containerOptions(t, "--start-delay=1ms")
	o.Config.Hostname = "shop"
	o.Config.User = "1000"
	o.Config.WorkingDir = "/"
	o.Config.StopSignal = "SIGTERM"
	o.Config.StopTimeout = &stop
	o.Config.Volumes = map[string]struct{}{"/scratch": {}}
	o.Config.Healthcheck = &slowHealth
	maps.Copy(o.Config.Labels, map[string]string{
		"alertscaler.enable":                  "true",
		"com.docker.compose.project":          "shop",
		"com.docker.compose.container-number": "1",
	})
	o.HostConfig = &container.HostConfig{
		NetworkMode:    container.NetworkMode(front),
		RestartPolicy:  container.RestartPolicy{Name: container.RestartPolicyUnlessStopped},
		CapDrop:        []string{"ALL"},
		ReadonlyRootfs: true,
		ExtraHosts:     []string{"db:10.0.0.5"},
		Tmpfs:          map[string]string{"/tmp": "size=1m"},
		Mounts:         []mount.Mount{{Type: mount.TypeBind, Source: t.TempDir(), Target: "/data", ReadOnly: true}},
		LogConfig:      container.LogConfig{Type: "json-file", Config: map[string]string{"max-size": "1m"}},
		Resources:      container.Resources{Memory: 64 << 20, NanoCPUs: 500_000_000, PidsLimit: &pids},
	}
	o.NetworkingConfig = &network.NetworkingConfig{EndpointsConfig: map[string]*network.EndpointSettings{front: {Aliases: []string{"shop-web"}}}}
	name := runContainer(t, api, o)
	if _, err := api.NetworkConnect(t.Context(), back, client.NetworkConnectOptions{
		Container: name, EndpointConfig: &network.EndpointSettings{Aliases: []string{"shop-back"}},
	}); err != nil {
		t.Fatal(err)
	}

	c := open(t, like(host, name))
	scale(t, c, 2)
	template, made := inspectContainer(t, api, name), inspectContainer(t, api, name+"-2")

	if diff := cmp.Diff(template.Config, made.Config, cmpopts.IgnoreFields(container.Config{}, "Hostname", "Labels")); diff != "" {
		t.Errorf("configuration (-template +copy):\n%s", diff)
	}
	if diff := cmp.Diff(template.HostConfig, made.HostConfig); diff != "" {
		t.Errorf("host configuration (-template +copy):\n%s", diff)
	}
	if diff := cmp.Diff(map[string]string{
		"alertscaler.managed": "true", "alertscaler.template": name, "alertscaler.scale_target": "shop/web",
		"alertscaler.replica": "2", "alertscaler.test": "",
		"team": "shop", "com.docker.compose.project": "shop", "com.docker.compose.container-number": "2",
	}, made.Config.Labels, cmpopts.IgnoreMapEntries(func(k, _ string) bool { return k == "alertscaler.test" })); diff != "" {
		t.Errorf("labels:\n%s", diff)
	}
	if made.Config.Hostname == "shop" || made.Image != template.Image {
		t.Errorf("host name %s, image %s", made.Config.Hostname, made.Image)
	}
	for n, alias := range map[string]string{front: "shop-web", back: "shop-back"} {
		got, ok := made.NetworkSettings.Networks[n]
		was := template.NetworkSettings.Networks[n]
		if !ok || got.IPAddress == was.IPAddress || got.MacAddress.String() == was.MacAddress.String() {
			t.Errorf("network %s: %+v, want an address of its own", n, got)
			continue
		}
		if diff := cmp.Diff([]string{made.ID[:12], "shop", alias}, got.Aliases, cmpopts.SortSlices(strings.Compare)); diff != "" {
			t.Errorf("aliases in %s:\n%s", n, diff)
		}
	}
	if v := made.Mounts; len(v) != len(template.Mounts) {
		t.Errorf("%d mounts, want %d", len(v), len(template.Mounts))
	}
	for _, m := range made.Mounts {
		for _, o := range template.Mounts {
			if m.Type == mount.TypeVolume && m.Name == o.Name {
				t.Errorf("volume %s is shared, it has no name", m.Name)
			}
		}
	}
	scale(t, c, 1)
	gone(t, api, name)
}

// TestCopyInSpecialNetworks leaves the network mode as it is.
func TestCopyInSpecialNetworks(t *testing.T) {
	t.Parallel()
	host := realtest.Docker(t)
	api := dockerd(t, host)
	for _, mode := range []container.NetworkMode{"none", "host", "bridge", "default"} {
		t.Run(string(mode), func(t *testing.T) {
			o := containerOptions(t)
			o.HostConfig.NetworkMode = mode
			if mode == "host" {
				o.Config.Env = []string{"ADDR=127.0.0.1:0"}
			}
			name := runContainer(t, api, o)
			scale(t, open(t, like(host, name)), 2)
			template, made := inspectContainer(t, api, name), inspectContainer(t, api, name+"-2")
			if made.HostConfig.NetworkMode != template.HostConfig.NetworkMode || len(made.NetworkSettings.Networks) != 1 {
				t.Errorf("network mode %s, %d networks, want %s and one", made.HostConfig.NetworkMode, len(made.NetworkSettings.Networks), template.HostConfig.NetworkMode)
			}
		})
	}
}

// TestCopyOfAnImageWhoseNameMoved runs what the template runs, not what its
// image's name has come to mean.
func TestCopyOfAnImageWhoseNameMoved(t *testing.T) {
	t.Parallel()
	host := realtest.Docker(t)
	api := dockerd(t, host)
	o := containerOptions(t)
	moved := "alertscaler-test-moved:" + strings.TrimLeft(unique(t), "-")
	if _, err := api.ImageTag(t.Context(), client.ImageTagOptions{Source: o.Config.Image, Target: moved}); err != nil {
		t.Fatal(err)
	}
	o.Config.Image = moved
	name := runContainer(t, api, o)
	c := open(t, like(host, name))
	scale(t, c, 2)
	if got := inspectContainer(t, api, name+"-2").Config.Image; got != moved {
		t.Errorf("image = %s, want %s while the name holds", got, moved)
	}
	if _, err := api.ImageRemove(t.Context(), moved, client.ImageRemoveOptions{Force: true}); err != nil {
		t.Fatal(err)
	}
	scale(t, c, 3)
	if got, want := inspectContainer(t, api, name+"-3").Image, inspectContainer(t, api, name).Image; got != want {
		t.Errorf("image = %s, want %s", got, want)
	}
}
