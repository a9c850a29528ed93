package azuretest

import (
	"crypto/rand"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/alertscaler/alertscaler/scaler/target/standin"
)

// Set is a scale set as a test puts it there.
type Set struct {
	Group, Name string
	Capacity    int
	Tags        map[string]string
	// Flexible is the orchestration; else it is uniform.
	Flexible bool
	// NoProfile is a flexible set that makes no machines, and has no sku.
	NoProfile bool
	// OneGroup is a single placement group.
	OneGroup bool
	// Health has an application health extension look after instances.
	Health bool
	// Boot is how long an instance takes from its request to running, Stop how
	// long it is there while it is deleted.
	Boot, Stop time.Duration
	// PollAfter is the Retry-After of its operations.
	PollAfter time.Duration
	// NoEtag leaves out the etag, as older versions do.
	NoEtag bool
}

// set is a Set and what became of it. All of it is guarded by the server's state.
type set struct {
	Set
	view          // as it is
	next      int // the ID of the next instance
	instances []*instance
	asked     []int  // see Asked
	op        string // under way
	fail      *Fault
	before    view // what reads show until beforeEnd
	beforeEnd time.Time
}

// view is what reads show of a set.
type view struct {
	capacity, version int
}

type instance struct {
	id        int
	created   time.Time
	readyAt   time.Time
	goneAt    time.Time // zero: it stays
	protected bool
	unhealthy bool
	stopped   bool
}

// operation is a long-running one.
type operation struct {
	set     *set
	started time.Time
	status  string
	Fault   // its code, message and details
}

func key(group, name string) string { return strings.ToLower(group + "/" + name) }

func (x *set) id() string {
	return "/subscriptions/" + Subscription + "/resourceGroups/" + x.Group + "/providers/Microsoft.Compute/virtualMachineScaleSets/" + x.Name
}

func (v view) etag() string { return strconv.Quote(strconv.Itoa(v.version)) }

// name is by which an instance is deleted.
func (i *instance) name(x *set) string {
	if x.Flexible {
		return fmt.Sprintf("%s_%08x", x.Name, i.id)
	}
	return strconv.Itoa(i.id)
}

// Put makes a scale set, whose instances run already.
func (s *Server) Put(x Set) {
	s.state.Do(func() {
		n := &set{Set: x, view: view{version: 1}}
		s.sets[key(x.Group, x.Name)] = n
		s.resize(n, x.Capacity)
		for _, i := range n.instances {
			i.readyAt = time.Now()
		}
		n.beforeEnd = time.Time{}
	})
}

// ID is the resource ID of a scale set.
func ID(group, name string) string { return (&set{Set: Set{Group: group, Name: name}}).id() }

// with runs f on a set.
func (s *Server) with(group, name string, f func(*set)) {
	s.state.Do(func() { f(s.sets[key(group, name)]) })
}

// SetCapacity changes the capacity as someone else does, who is seen at once.
func (s *Server) SetCapacity(group, name string, n int) {
	s.with(group, name, func(x *set) {
		s.resize(x, n)
		x.beforeEnd = time.Time{}
	})
}

// Capacity is the number last requested.
func (s *Server) Capacity(group, name string) (n int) {
	s.with(group, name, func(x *set) { n = x.capacity })
	return n
}

// Asked returns the capacities that accepted requests set, the oldest first.
func (s *Server) Asked(group, name string) (out []int) {
	s.with(group, name, func(x *set) { out = slices.Clone(x.asked) })
	return out
}

// FailNext lets the next operation of a set fail with a code.
func (s *Server) FailNext(group, name, code, message string, details ...Detail) {
	s.with(group, name, func(x *set) { x.fail = &Fault{Code: code, Message: message, Details: details} })
}

// Protect protects an instance from scale-in, Sicken makes it unhealthy, and
// Halt stops it; each is named by the ID that it is deleted by.
func (s *Server) Protect(group, name, id string) {
	s.withInstance(group, name, id, func(i *instance) { i.protected = true })
}

// Sicken makes an instance unhealthy, see Protect.
func (s *Server) Sicken(group, name, id string) {
	s.withInstance(group, name, id, func(i *instance) { i.unhealthy = true })
}

// Halt stops an instance, see Protect.
func (s *Server) Halt(group, name, id string) {
	s.withInstance(group, name, id, func(i *instance) { i.stopped = true })
}

func (s *Server) withInstance(group, name, id string, f func(*instance)) {
	s.with(group, name, func(x *set) {
		for _, i := range x.instances {
			if i.name(x) == id {
				f(i)
			}
		}
	})
}

func (s *Server) total() int {
	n := 0
	for _, x := range s.sets {
		n += x.capacity
	}
	return n
}

// remember keeps what reads go on showing for a while.
func (s *Server) remember(x *set) {
	if time.Now().After(x.beforeEnd) {
		x.before = x.view
	}
	x.beforeEnd = time.Now().Add(s.Lag)
}

func (s *Server) seen(x *set) view {
	if time.Now().Before(x.beforeEnd) {
		return x.before
	}
	return x.view
}

// resize requests another number of instances: the new ones boot, and those of
// the highest ID go.
func (s *Server) resize(x *set, n int) {
	s.remember(x)
	x.capacity = n
	x.version++
	stay := slices.DeleteFunc(slices.Clone(x.instances), func(i *instance) bool { return !i.goneAt.IsZero() })
	rank := func(i *instance) int {
		if i.protected {
			return i.id - x.next // those go last
		}
		return i.id
	}
	slices.SortFunc(stay, func(a, b *instance) int { return rank(b) - rank(a) })
	for i := 0; i < len(stay)-n; i++ {
		stay[i].goneAt = time.Now().Add(x.Stop)
	}
	for range n - len(stay) {
		x.instances = append(x.instances, &instance{id: x.next, created: time.Now(), readyAt: time.Now().Add(x.Boot)})
		x.next++
	}
}

// preempt ends the operation that another one takes the place of.
func (s *Server) preempt(x *set) {
	if o, ok := s.ops[x.op]; ok && o.status == "InProgress" {
		o.status, o.Code = "Canceled", "OperationPreempted"
		o.Message = "Operation execution has been preempted by a more recent operation."
	}
}

// begin starts an operation, which ends once the instances are as requested.
func (s *Server) begin(x *set) string {
	o := &operation{set: x, started: time.Now(), status: "InProgress"}
	if x.fail != nil {
		o.status, o.Fault, x.fail = "Failed", *x.fail, nil
		// What could not be allocated is never there.
		for _, i := range x.instances {
			if i.readyAt.After(time.Now()) {
				i.readyAt = time.Now().Add(24 * time.Hour)
			}
		}
	}
	id := strings.ToLower(rand.Text())
	s.ops[id] = o
	x.op = id
	return id
}

// advance lets time pass for a set.
func (s *Server) advance(x *set) {
	now := time.Now()
	x.instances = slices.DeleteFunc(x.instances, func(i *instance) bool { return !i.goneAt.IsZero() && now.After(i.goneAt) })
	if o, ok := s.ops[x.op]; ok && o.status == "InProgress" && x.quiet(now) {
		o.status = "Succeeded"
	}
}

// quiet reports whether nothing boots or goes.
func (x *set) quiet(now time.Time) bool {
	return !slices.ContainsFunc(x.instances, func(i *instance) bool { return !i.goneAt.IsZero() || now.Before(i.readyAt) })
}

func (v view) body(x *set) object {
	state := standin.Either(x.quiet(time.Now()), "Succeeded", "Updating")
	mode := standin.Either(x.Flexible, "Flexible", "Uniform")
	m := object{
		"id": x.id(), "name": x.Name, "type": "Microsoft.Compute/virtualMachineScaleSets", "location": "westeurope",
		"properties": object{
			"provisioningState": state, "orchestrationMode": mode, "singlePlacementGroup": x.OneGroup, "overprovision": false,
		},
	}
	m.AddIf(x.Tags != nil, "tags", x.Tags)
	m.AddIf(!x.NoEtag, "etag", v.etag())
	m.AddIf(!x.NoProfile, "sku", object{"name": "Standard_D2s_v3", "tier": "Standard", "capacity": v.capacity})
	return m
}

// bodies are the instances, with their status where a request asks for it.
func (x *set) bodies(r *http.Request) []any {
	now, expand := time.Now(), r.URL.Query().Get("$expand") == "instanceView"
	out := make([]any, 0, len(x.instances))
	for _, i := range x.instances {
		state, power := "Succeeded", "running"
		switch {
		case !i.goneAt.IsZero():
			state, power = "Deleting", "stopping"
		case now.Before(i.readyAt):
			state, power = "Creating", "starting"
		case i.stopped:
			power = "deallocated"
		}
		p := object{
			"provisioningState": state, "timeCreated": i.created.UTC().Format(time.RFC3339Nano),
			"osProfile": object{"computerName": fmt.Sprintf("%s%06d", x.Name, i.id)},
		}
		p.AddIf(i.protected, "protectionPolicy", object{"protectFromScaleIn": true})
		if expand {
			view := object{"statuses": []any{
				object{"code": "ProvisioningState/" + strings.ToLower(state), "level": "Info"},
				object{"code": "PowerState/" + power, "level": "Info"},
			}}
			health := standin.Either(i.unhealthy, "unhealthy", "healthy")
			view.AddIf(x.Health, "vmHealth", object{"status": object{"code": "HealthState/" + health, "level": "Info"}})
			p["instanceView"] = view
		}
		m := object{"name": i.name(x), "location": "westeurope", "properties": p}
		p.AddIf(x.Flexible, "virtualMachineScaleSet", object{"id": x.id()})
		m.AddIf(!x.Flexible, "instanceId", strconv.Itoa(i.id))
		m.AddIf(!x.Flexible, "name", x.Name+"_"+strconv.Itoa(i.id))
		out = append(out, m)
	}
	return out
}
