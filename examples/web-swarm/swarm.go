package main

import (
	"archive/tar"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"time"

	"github.com/containerd/errdefs"
	"github.com/moby/moby/api/types/swarm"
	"github.com/moby/moby/client"

	"github.com/alertscaler/alertscaler/examples/internal/house"
)

const (
	// dockerHost is the default of docker_service.
	dockerHost = "unix:///var/run/docker.sock"
	// name is that of the service, and the scale_target of the policy.
	name  = "alertscaler-example-web"
	image = name + ":local"
	port  = "8080"
	// cpuLimit is in billionths of a core. Without a limit there is no capacity
	// to record.
	cpuLimit = 250_000_000
)

// dockerfile makes an image of one static program: nothing has to be pulled.
const dockerfile = `FROM scratch
COPY web-swarm /web
EXPOSE ` + port + `
ENTRYPOINT ["/web", "web", "--listen=:` + port + `"]
`

// swarmService is the example's service on this machine's swarm.
type swarmService struct{ api *client.Client }

// connect finds a swarm manager, or says what is missing.
func connect(ctx context.Context) (*swarmService, error) {
	api, err := client.New(client.WithHost(dockerHost))
	if err != nil {
		return nil, err
	}
	info, err := api.Info(ctx, client.InfoOptions{})
	switch {
	case err != nil:
		return nil, house.Missing("a Docker Engine at %s: install docker and start dockerd (%s)", dockerHost, err)
	case !info.Info.Swarm.ControlAvailable:
		return nil, house.Missing("a swarm manager: run `docker swarm init` (the Engine's swarm is %s)", info.Info.Swarm.LocalNodeState)
	}
	return &swarmService{api: api}, nil
}

// create builds the image and makes the service of two replicas. What a run
// that was killed has left goes first.
func (s *swarmService) create(ctx context.Context, program string) error {
	s.remove(ctx)
	fmt.Printf("Building image %s and creating the service …\n", image)
	if err := s.build(ctx, program); err != nil {
		return fmt.Errorf("build image %s: %w", image, err)
	}
	replicas, grace := uint64(2), 10*time.Second
	_, err := s.api.ServiceCreate(ctx, client.ServiceCreateOptions{Spec: swarm.ServiceSpec{
		Annotations: swarm.Annotations{Name: name},
		TaskTemplate: swarm.TaskSpec{
			ContainerSpec: &swarm.ContainerSpec{Image: image, StopGracePeriod: &grace},
			Resources:     &swarm.ResourceRequirements{Limits: &swarm.Limit{NanoCPUs: cpuLimit}},
		},
		Mode: swarm.ServiceMode{Replicated: &swarm.ReplicatedService{Replicas: &replicas}},
	}})
	if err != nil {
		return fmt.Errorf("create service %s: %w", name, err)
	}
	return nil
}

func (s *swarmService) build(ctx context.Context, program string) error {
	content, err := os.ReadFile(program)
	if err != nil {
		return err
	}
	var archive bytes.Buffer
	w := tar.NewWriter(&archive)
	for name, file := range map[string][]byte{"Dockerfile": []byte(dockerfile), "web-swarm": content} {
		if err := w.WriteHeader(&tar.Header{Name: name, Mode: 0o755, Size: int64(len(file))}); err != nil {
			return err
		}
		if _, err := w.Write(file); err != nil {
			return err
		}
	}
	if err := w.Close(); err != nil {
		return err
	}
	built, err := s.api.ImageBuild(ctx, &archive, client.ImageBuildOptions{Tags: []string{image}, Remove: true, ForceRemove: true})
	if err != nil {
		return err
	}
	defer built.Body.Close()
	// The answer is 200 before anything is built; an error is a line of it.
	for lines := json.NewDecoder(built.Body); ; {
		var line struct{ Error string }
		if err := lines.Decode(&line); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return err
		}
		if line.Error != "" {
			return errors.New(line.Error)
		}
	}
}

// close removes the service and its image.
func (s *swarmService) close() {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	s.remove(ctx)
	_ = s.api.Close()
}

// remove returns once the service, its containers and its image are gone, or
// says what is left.
func (s *swarmService) remove(ctx context.Context) {
	_, err := s.api.ServiceRemove(ctx, name, client.ServiceRemoveOptions{})
	if err != nil && !errdefs.IsNotFound(err) {
		fmt.Fprintf(os.Stderr, "remove service %s: %s\n", name, err)
		return
	}
	for ctx.Err() == nil {
		left, err := s.api.ContainerList(ctx, client.ContainerListOptions{All: true, Filters: s.own()})
		if err == nil && len(left.Items) == 0 {
			break
		}
		house.Sleep(ctx, 200*time.Millisecond)
	}
	_, err = s.api.ImageRemove(ctx, image, client.ImageRemoveOptions{Force: true, PruneChildren: true})
	if err != nil && !errdefs.IsNotFound(err) {
		fmt.Fprintf(os.Stderr, "remove image %s: %s\n", image, err)
	}
}

func (*swarmService) own() client.Filters {
	return make(client.Filters).Add("label", "com.docker.swarm.service.name="+name)
}

// addresses are those of the containers on the Engine's own network, which this
// host reaches. A published port would do as well, where the kernel has IPVS.
func (s *swarmService) addresses(ctx context.Context) ([]string, error) {
	list, err := s.api.ContainerList(ctx, client.ContainerListOptions{Filters: s.own()})
	if err != nil {
		return nil, err
	}
	all := []string{}
	for i := range list.Items {
		if list.Items[i].NetworkSettings == nil {
			continue
		}
		for _, n := range list.Items[i].NetworkSettings.Networks {
			if n.IPAddress.IsValid() {
				all = append(all, net.JoinHostPort(n.IPAddress.String(), port))
			}
		}
	}
	return all, nil
}
