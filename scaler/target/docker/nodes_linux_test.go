package docker

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/moby/moby/api/types/swarm"
	"github.com/moby/moby/client"

	"github.com/alertscaler/alertscaler/scaler/realtest"
	"github.com/alertscaler/alertscaler/scaler/target"
)

// TestServiceWithoutNodes drains and pauses the only node of a swarm.
func TestServiceWithoutNodes(t *testing.T) {
	t.Parallel()
	if !isolated(t) {
		return
	}
	host := privateDockerd(t)
	api := dockerd(t, host)
	if _, err := api.SwarmInit(t.Context(), client.SwarmInitOptions{ListenAddr: "127.0.0.1:2377", AdvertiseAddr: "127.0.0.1"}); err != nil {
		t.Fatal(err)
	}
	spec := serviceSpec(t)
	// There is no bridge for it to be in.
	spec.TaskTemplate.Networks = []swarm.NetworkAttachmentConfig{{Target: "host"}}
	spec.TaskTemplate.ContainerSpec.Env = []string{"ADDR=127.0.0.1:0"}
	s := open(t, &ServiceConfig{Name: createService(t, api, spec), HostConfig: HostConfig{Host: host}})
	accepts(t, s, 2)
	settle(t, s, 2)

	full := func(says string) {
		t.Helper()
		err := s.Scale(t.Context(), 4)
		if target.KindOf(err) != target.KindQuota || !strings.Contains(err.Error(), says) || !strings.Contains(err.Error(), "--availability active") {
			t.Errorf("Scale = %v (kind %s), want the quota, %q and what would be right", err, target.KindOf(err), says)
		}
		if st := current(t, s); st.Requested != 2 {
			t.Errorf("Current = %+v after a request that was refused, want 2", st)
		}
	}
	setAvailability(t, api, swarm.NodeAvailabilityPause)
	full("1 paused")
	settle(t, s, 2) // what runs on a paused node stays

	setAvailability(t, api, swarm.NodeAvailabilityDrain)
	realtest.Eventually(t, converge, 20*time.Millisecond, "2 are requested and none is ready", func() error {
		if st := current(t, s); st.Requested != 2 || st.Ready != 0 {
			return fmt.Errorf("it is %+v", st)
		}
		return nil
	})
	full("1 drained")
	// On the way down no node is needed.
	accepts(t, s, 1)
	// Who may not list the nodes goes ahead, and the replicas wait.
	unlisted := open(t, &ServiceConfig{Name: spec.Name, HostConfig: HostConfig{
		Host: faulty(t, host, func(w http.ResponseWriter, r *http.Request) bool {
			return strings.HasSuffix(r.URL.Path, "/nodes") && answers(403, "denied by policy")(w, r)
		}),
	}})
	accepts(t, unlisted, 2)

	setAvailability(t, api, swarm.NodeAvailabilityActive)
	settle(t, s, 2)
	accepts(t, s, 3)
	settle(t, s, 3)
}

// setAvailability changes that of the only node of a swarm.
func setAvailability(t testing.TB, api *client.Client, to swarm.NodeAvailability) {
	t.Helper()
	// The node's own news change its version as well.
	realtest.Eventually(t, converge, 50*time.Millisecond, "the node is "+string(to), func() error {
		nodes, err := api.NodeList(t.Context(), client.NodeListOptions{})
		if err != nil {
			return err
		}
		if len(nodes.Items) != 1 {
			return errors.New("more than one node")
		}
		n := nodes.Items[0]
		n.Spec.Availability = to
		_, err = api.NodeUpdate(t.Context(), n.ID, client.NodeUpdateOptions{Version: n.Version, Spec: n.Spec})
		return err
	})
}
