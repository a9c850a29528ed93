package docker

import (
	"context"
	"crypto/rand"
	"fmt"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/containerd/errdefs"
	"github.com/go-kit/log"
	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/api/types/swarm"
	"github.com/moby/moby/client"

	"github.com/alertscaler/alertscaler/scaler/realtest"
	"github.com/alertscaler/alertscaler/scaler/target"
	"github.com/alertscaler/alertscaler/scaler/target/targettest"
)

func TestMain(m *testing.M) {
	realtest.Parallel(4)
	os.Exit(m.Run())
}

// converge is how long the Engine may take for what the tests ask of it.
const converge = time.Minute

// dockerd is the Engine as the tests use it, past the code under test.
func dockerd(t testing.TB, host string) *client.Client {
	t.Helper()
	api, err := client.New(client.WithHost(host))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = api.Close() })
	return api
}

// image is that of the worker, made once.
func image(t testing.TB) string {
	t.Helper()
	imageOnce.Do(func() {
		ref := realtest.StaticImage(t, "alertscaler-test-worker", targettest.WorkerPackage)
		made, err := dockerd(t, realtest.Docker(t)).ImageInspect(t.Context(), ref)
		if err != nil {
			t.Fatal(err)
		}
		imageRef, imageID = ref, made.ID
	})
	if imageRef == "" {
		realtest.SkipOrFail(t, "needs the worker image, which could not be made")
	}
	return imageRef
}

var (
	imageOnce sync.Once
	imageRef  string
	imageID   string
)

// unique returns a name that nobody else has.
func unique(t testing.TB) string {
	name := strings.ToLower(strings.NewReplacer("/", "-", "_", "-").Replace(t.Name()))
	return name[max(0, len(name)-40):] + "-" + strings.ToLower(rand.Text()[:6])
}

// serviceSpec is a service of the worker. Its image is named by its ID: for each
// task of one that has a name Swarm first asks a registry, which is not there.
func serviceSpec(t testing.TB, args ...string) swarm.ServiceSpec {
	image(t)
	stop, replicas := 5*time.Second, uint64(1)
	return swarm.ServiceSpec{
		Annotations: swarm.Annotations{Name: strings.TrimLeft(unique(t), "-"), Labels: map[string]string{"alertscaler.test": "true"}},
		TaskTemplate: swarm.TaskSpec{
			ContainerSpec: &swarm.ContainerSpec{
				Image: imageID, Args: args, Env: []string{"ADDR=:8080"}, StopGracePeriod: &stop,
			},
		},
		Mode: swarm.ServiceMode{Replicated: &swarm.ReplicatedService{Replicas: &replicas}},
	}
}

// idleSpec is a service that no node will do for: it is there and can be asked
// for, and no container has to come and go with it.
func idleSpec(t testing.TB) swarm.ServiceSpec {
	spec := serviceSpec(t)
	spec.TaskTemplate.Placement = &swarm.Placement{Constraints: []string{"node.labels.alertscaler.test==never"}}
	return spec
}

// createService makes a service that the test's end removes.
func createService(t testing.TB, api *client.Client, spec swarm.ServiceSpec) (name string) {
	t.Helper()
	created, err := api.ServiceCreate(t.Context(), client.ServiceCreateOptions{Spec: spec})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		if _, err := api.ServiceRemove(ctx, created.ID, client.ServiceRemoveOptions{}); err != nil && !errdefs.IsNotFound(err) {
			t.Errorf("remove service: %v", err)
		}
	})
	return spec.Name
}

// containerOptions are those of a container of the worker.
func containerOptions(t testing.TB, args ...string) client.ContainerCreateOptions {
	return client.ContainerCreateOptions{
		Name: strings.TrimLeft(unique(t), "-"),
		Config: &container.Config{
			Image: image(t), Cmd: args, Env: []string{"ADDR=:8080"},
			Labels: map[string]string{"alertscaler.test": "true", "team": "shop"},
		},
		HostConfig: &container.HostConfig{},
	}
}

// runContainer makes and starts a container. The test's end removes it and
// all that was made after it.
func runContainer(t testing.TB, api *client.Client, o client.ContainerCreateOptions) (name string) {
	t.Helper()
	created, err := api.ContainerCreate(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		ids := []string{created.ID}
		for _, c := range copiesOf(t, api, o.Name) {
			ids = append(ids, c.ID)
		}
		for _, id := range ids {
			_, err := api.ContainerRemove(ctx, id, client.ContainerRemoveOptions{Force: true, RemoveVolumes: true})
			if err != nil && !errdefs.IsNotFound(err) && !errdefs.IsConflict(err) {
				t.Errorf("remove container: %v", err)
			}
		}
	})
	if _, err := api.ContainerStart(t.Context(), created.ID, client.ContainerStartOptions{}); err != nil {
		t.Fatal(err)
	}
	return o.Name
}

// copiesOf lists all copies of a template, whatever their state.
func copiesOf(t testing.TB, api *client.Client, template string) []container.Summary {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	list, err := api.ContainerList(ctx, client.ContainerListOptions{
		All: true, Filters: make(client.Filters).Add("label", "alertscaler.template="+template),
	})
	if err != nil {
		t.Fatal(err)
	}
	return list.Items
}

// open builds a target that the test's end closes.
func open(t testing.TB, cfg target.Config) target.Target {
	t.Helper()
	tgt := build(t, cfg)
	t.Cleanup(func() {
		if err := tgt.(target.Closer).Close(); err != nil {
			t.Error(err)
		}
	})
	return tgt
}

// build builds a target that the caller closes.
func build(t testing.TB, cfg target.Config) target.Target {
	t.Helper()
	if err := cfg.Validate(); err != nil {
		t.Fatal(err)
	}
	tgt, err := cfg.New(target.Options{Policy: "web", Name: "burst", ScaleTarget: "shop/web", Logger: log.NewLogfmtLogger(testLog{t})})
	if err != nil {
		t.Fatal(err)
	}
	return tgt
}

// scale asks for n replicas and waits for them.
func scale(t testing.TB, tgt target.Target, n int) {
	t.Helper()
	if err := tgt.Scale(t.Context(), n); err != nil && target.KindOf(err) != target.KindNoOp {
		t.Fatal(err)
	}
	settle(t, tgt, n)
}

// settle waits until n replicas are requested and ready.
func settle(t testing.TB, tgt target.Target, n int) {
	t.Helper()
	realtest.Eventually(t, converge, 100*time.Millisecond, fmt.Sprintf("%d replicas are ready", n), func() error {
		st, err := tgt.Current(t.Context())
		if err == nil && (st.Requested != n || st.Ready != n) {
			err = fmt.Errorf("it is %+v", st)
		}
		return err
	})
}

// testLog is the log of the test.
type testLog struct{ t testing.TB }

func (l testLog) Write(p []byte) (int, error) {
	l.t.Log(strings.TrimSpace(string(p)))
	return len(p), nil
}

// accepts asks for n replicas, again where Swarm was at work on the service
// itself, as it is after each change.
func accepts(t testing.TB, s target.Target, n int) {
	t.Helper()
	realtest.Eventually(t, converge, 50*time.Millisecond, fmt.Sprintf("%d replicas are accepted", n), func() error {
		err := s.Scale(t.Context(), n)
		if target.KindOf(err) == target.KindConflict {
			return err
		}
		if err != nil {
			t.Fatalf("Scale(%d): %v (kind %s)", n, err, target.KindOf(err))
		}
		return nil
	})
}
