package ansible

import (
	"context"
	"encoding/json"
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/alertscaler/alertscaler/scaler/program"
	"github.com/alertscaler/alertscaler/scaler/target"
)

// inventoryProgram is the ansible-inventory that belongs to an
// ansible-playbook.
func inventoryProgram(playbookProgram string) string {
	const name = "ansible-inventory"
	if strings.ContainsRune(playbookProgram, filepath.Separator) {
		return target.JoinPath(filepath.Dir(playbookProgram), name)
	}
	return name
}

// hosts counts the hosts of a group, by a listing as read returns it.
func (l *listing) hosts(ctx context.Context, op, group string, since time.Time) (int, error) {
	if err := available(op, l.program, l.inventory); err != nil {
		return 0, err
	}
	inv, err := l.read(ctx, op, since)
	if err != nil {
		return 0, err
	}
	n, ok := inv.hosts(group)
	if !ok {
		return 0, target.Errorf(target.KindNotFound, op, "the inventory has no group %s", group)
	}
	return n, nil
}

// inventory is what ansible-inventory --list prints: groups by name. A group
// without anything is there only as a child of another.
type inventory map[string]inventoryEntry

type inventoryEntry struct {
	Hosts    []string `json:"hosts"`
	Children []string `json:"children"`
}

func parseInventory(b []byte) (inventory, error) {
	var raw map[string]json.RawMessage
	if err := json.Unmarshal(b, &raw); err != nil {
		return nil, fmt.Errorf("it is not JSON: %w: %q", err, program.Excerpt(b))
	}
	delete(raw, "_meta")
	inv := make(inventory, len(raw))
	for name, r := range raw {
		var e inventoryEntry
		if err := json.Unmarshal(r, &e); err != nil {
			return nil, fmt.Errorf("group %s: %w", name, err)
		}
		inv[name] = e
	}
	return inv, nil
}

// hosts counts the hosts of a group and of those below it, each once. known is
// false where there is no such group.
func (inv inventory) hosts(group string) (n int, known bool) {
	_, known = inv[group]
	for _, e := range inv {
		for _, c := range e.Children {
			known = known || c == group
		}
	}
	hosts, seen := make(map[string]struct{}), make(map[string]bool)
	var walk func(string)
	walk = func(name string) {
		if seen[name] {
			return
		}
		seen[name] = true
		for _, h := range inv[name].Hosts {
			hosts[h] = struct{}{}
		}
		for _, c := range inv[name].Children {
			walk(c)
		}
	}
	walk(group)
	return len(hosts), known
}

// available checks what Ansible would take lightly: without an inventory it
// warns, runs nothing and calls that a success.
func available(op, program, inventory string) error {
	if _, err := exec.LookPath(program); err != nil {
		return target.Errorf(target.KindPermanent, op, "%w; install ansible-core (apt-get install ansible-core, or pip install ansible-core), or set ansible_playbook", err)
	}
	if inventory == "" || hostList(inventory) {
		return nil
	}
	return present(op, "inventory", inventory)
}
