package ansible

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/alertscaler/alertscaler/scaler/program"
	"github.com/alertscaler/alertscaler/scaler/recovery"
	"github.com/alertscaler/alertscaler/scaler/target"
	"github.com/alertscaler/alertscaler/scaler/target/share"
)

// How old a listing may be. To make one takes a second of computing.
const (
	// askAfter is the age of one of an inventory that asks others, as programs
	// and plugins do, at which it is made anew while the old one still serves;
	// oldest is that at which it does not serve any longer.
	askAfter = 10 * time.Second
	oldest   = time.Minute
	// sameFor is how long one of files serves that are what they were. What
	// else it may depend on, such as an ansible.cfg, counts after that.
	sameFor = 5 * time.Minute
)

// Bounds of what is read to know that an inventory is what it was.
const (
	maxFiles = 1000
	maxBytes = 16 << 20
)

// Inventories are listed once for all targets that count in them, and not more
// of them at the same time than this host has processors. The zero value is
// ready; all methods are safe for concurrent use.
type Inventories struct {
	pool  share.Pool[string, *listing] // by all that makes two listings different
	once  sync.Once
	slots chan struct{}
}

// NewConfig returns an ansible configuration with its defaults set.
func (i *Inventories) NewConfig() target.Config {
	c := NewConfig().(*Config)
	c.inventories = i
	return c
}

// get returns the listing of an inventory, until it is released.
func (i *Inventories) get(e environment, program, inventory string) (l *listing, release func()) {
	if i == nil {
		i = new(Inventories)
	}
	i.once.Do(func() { i.slots = make(chan struct{}, max(1, runtime.NumCPU())) })
	key := fmt.Sprintf("%q", append([]string{program, inventory, e.dir}, e.env...))
	return i.pool.Use(key, func() *listing {
		return &listing{environment: e, program: program, inventory: inventory, slots: i.slots, now: time.Now, known: new(flight)}
	})
}

// listing is what ansible-inventory says of one inventory. All methods are safe
// for concurrent use.
type listing struct {
	environment
	program, inventory string
	slots              chan struct{}
	now                func() time.Time

	mu        sync.Mutex // guards what follows
	known     *flight    // the last that went well, or an empty one
	running   *flight
	forgotten time.Time // what began before that is of no use
}

// flight is one run of ansible-inventory. It is nobody's in particular: who
// leaves does not end it, and whoever asks next finds it.
type flight struct {
	began time.Time
	sum   share.Sum // of the files; zero: they are not all
	done  chan struct{}
	// Set before done is closed.
	inv inventory
	err error
}

// read returns the inventory: as it is, where it is files, and else not as it
// was before since, nor much older than a moment ago.
func (l *listing) read(ctx context.Context, op string, since time.Time) (inventory, error) {
	sum := contentOf(l.inventory)
	renew, old := askAfter, oldest
	l.mu.Lock()
	if sum != (share.Sum{}) {
		renew, old, since = sameFor, sameFor, time.Time{}
	}
	if l.forgotten.After(since) {
		since = l.forgotten
	}
	serves := func(f *flight) bool { return f != nil && f.sum == sum && !f.began.Before(since) }
	if age := l.now().Sub(l.known.began); serves(l.known) && age < old {
		if age >= renew && l.running == nil {
			l.start(sum)
		}
		defer l.mu.Unlock()
		return l.known.inv, nil
	}
	f := l.running
	if !serves(f) {
		f = l.start(sum)
	}
	l.mu.Unlock()
	select {
	case <-f.done:
		if f.err != nil {
			return nil, target.Errorf(target.KindOf(f.err), op, "%w", f.err)
		}
		return f.inv, nil
	case <-ctx.Done():
		return nil, failure(op, fmt.Errorf("%s is still listing the inventory, since %s: %w", l.program, l.now().Sub(f.began).Round(time.Millisecond), ctx.Err()))
	}
}

// forget makes the next read list anew.
func (l *listing) forget() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.forgotten = l.now()
}

// start lists the inventory. l.mu is held.
func (l *listing) start(sum share.Sum) *flight {
	f := &flight{began: l.now(), sum: sum, done: make(chan struct{})}
	l.running = f
	go func() {
		l.slots <- struct{}{}
		f.err = recovery.Do(recovery.Reading, func() (err error) {
			f.inv, err = l.list()
			return err
		})
		<-l.slots
		l.mu.Lock()
		if l.running == f {
			l.running = nil
		}
		if f.err == nil && f.began.After(l.known.began) {
			l.known = f
		}
		l.mu.Unlock()
		close(f.done)
	}()
	return f
}

func (l *listing) list() (inventory, error) {
	const op = "list the inventory"
	argv := []string{l.program}
	if l.inventory != "" {
		argv = append(argv, "--inventory="+l.inventory)
	}
	listed, err := l.output(context.Background(), op, append(argv, "--list"), maxInventory)
	if err != nil {
		return nil, err
	}
	inv, err := parseInventory(listed)
	if err != nil {
		return nil, target.Errorf(target.KindTemporary, op, "%s --list: %w", l.program, err)
	}
	return inv, nil
}

// plugin is what a file has that has its hosts from elsewhere.
var plugin = regexp.MustCompile(`(?m)^\s*["']?plugin["']?\s*:`)

// contentOf sums up the files of an inventory. The sum is zero where what they
// say is not all: programs and the configurations of plugins ask others, and
// Ansible's own default is wherever its configuration has it.
func contentOf(inventory string) share.Sum {
	if inventory == "" {
		return share.Sum{}
	}
	if hostList(inventory) {
		return share.Files()
	}
	var names []string
	var bytes int64
	err := filepath.WalkDir(inventory, func(name string, _ fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		fi, err := os.Stat(name)
		switch {
		case err != nil:
			return err
		case fi.IsDir():
			return nil
		case !fi.Mode().IsRegular() || fi.Mode()&0o111 != 0:
			return errDynamic
		}
		names, bytes = append(names, name), bytes+fi.Size()
		if len(names) > maxFiles || bytes > maxBytes {
			return errDynamic
		}
		b, err := os.ReadFile(name)
		if err == nil && plugin.Match(b) {
			err = errDynamic
		}
		return err
	})
	if err != nil {
		return share.Sum{}
	}
	return share.Files(names...)
}

// errDynamic ends the walk through an inventory that is not files alone.
var errDynamic = errors.New("not files alone")

// inventoryProgram is the ansible-inventory that belongs to an ansible-playbook.
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
		known = known || slices.Contains(e.Children, group)
	}
	hosts, seen := make(map[string]bool), make(map[string]bool)
	for groups := []string{group}; len(groups) > 0; groups = groups[1:] {
		name := groups[0]
		if seen[name] {
			continue
		}
		seen[name] = true
		for _, h := range inv[name].Hosts {
			hosts[h] = true
		}
		groups = append(groups, inv[name].Children...)
	}
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
