// Cloud-ansible runs machines of a small cloud on this host, which a real
// playbook makes and deletes: spot machines first, since they are cheaper, and
// on-demand ones where those are not enough.
//
// Run it with make example-cloud-ansible; README.md says what there is to see.
package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"

	"github.com/alertscaler/alertscaler/examples/internal/house"
)

const cloudAddress = "127.0.0.1:19123"

func main() {
	if len(os.Args) > 1 {
		if err := part(os.Args[1], os.Args[2:]); err != nil {
			fmt.Fprintln(os.Stderr, "cloud-ansible:", err)
			os.Exit(house.ExitFailed)
		}
		return
	}
	os.Exit(house.Run(house.Options{
		Name:         "cloud-ansible",
		Prometheus:   "http://127.0.0.1:19120",
		Alertmanager: "http://127.0.0.1:19121",
		Alertscaler:  "http://127.0.0.1:19122",
		Prepare:      prepare,
	}, tell))
}

// part is one of the programs that the example is made of.
func part(name string, args []string) error {
	switch name {
	case "cloud":
		return cloud(args)
	case "machine":
		return machine(args)
	case "count":
		return count(args)
	}
	return fmt.Errorf("unknown argument %q; the example takes none", name)
}

// prepare looks for Ansible and adds the cloud to what runs.
func prepare(_ context.Context, h *house.House) error {
	if _, err := exec.LookPath("ansible-playbook"); err != nil {
		return house.Missing("ansible-playbook on its PATH: `apt-get install ansible-core` or `pip install ansible-core`")
	}
	// The playbook writes the inventory where Ansible looks for it; there is no
	// machine yet, and none is left at the end.
	forget(h.Home)
	h.Defer(func() { forget(h.Home) })
	h.Add("cloud", "http://"+cloudAddress+"/machines", h.Bin("cloud-ansible"), "cloud", "--listen="+cloudAddress)
	return nil
}

// forget removes what the playbook writes into the inventory.
func forget(home string) {
	written, _ := filepath.Glob(filepath.Join(home, "inventory", "machines-*.yml"))
	for _, name := range written {
		if err := os.Remove(name); err != nil {
			fmt.Fprintln(os.Stderr, "cloud-ansible:", err)
		}
	}
}
