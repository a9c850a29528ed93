// Web-swarm runs a web service on Docker Swarm: Alertscaler makes it as large
// as its requests need, and leaves it alone while it burns its error budget.
//
// Run it with make example-web-swarm; README.md says what there is to see.
package main

import (
	"context"
	"fmt"
	"os"

	"github.com/alertscaler/alertscaler/examples/internal/house"
)

const cadvisorAddress = "127.0.0.1:19103"

func main() {
	if len(os.Args) > 1 {
		if err := part(os.Args[1], os.Args[2:]); err != nil {
			fmt.Fprintln(os.Stderr, "web-swarm:", err)
			os.Exit(house.ExitFailed)
		}
		return
	}
	s := &site{}
	os.Exit(house.Run(house.Options{
		Name:         "web-swarm",
		Prometheus:   "http://127.0.0.1:19100",
		Alertmanager: "http://127.0.0.1:19101",
		Alertscaler:  "http://127.0.0.1:19102",
		Prepare:      s.prepare,
	}, s.tell))
}

// part is one of the programs that the example is made of.
func part(name string, args []string) error {
	if name != "web" {
		return fmt.Errorf("unknown argument %q; the example takes none", name)
	}
	return web(args)
}

// site is the service and what measures it.
type site struct{ swarm *swarmService }

// prepare makes the service, and adds cAdvisor to what runs.
func (s *site) prepare(ctx context.Context, h *house.House) error {
	cadvisor, err := h.Tool("CADVISOR", "cadvisor")
	if err != nil {
		return err
	}
	if s.swarm, err = connect(ctx); err != nil {
		return err
	}
	h.Defer(s.swarm.close)
	stop, err := s.swarm.discover()
	if err != nil {
		return err
	}
	h.Defer(stop)
	if err := s.swarm.create(ctx, h.Bin("web-swarm")); err != nil {
		return err
	}
	h.Add("cadvisor", "http://"+cadvisorAddress+"/metrics", cadvisor,
		"--listen="+cadvisorAddress, "--docker="+dockerHost, "--docker_only",
		"--housekeeping_interval=5s")
	return nil
}
