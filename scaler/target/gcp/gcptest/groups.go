package gcptest

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Group is a managed instance group.
type Group struct {
	Project string
	// Zone or Region it is in.
	Zone, Region string
	Name         string
	// Size is the target size, of instances that are there already.
	Size int
	// Boot is the time from an instance being wanted to it serving. For a third
	// of it there is no machine yet, for another third it is staging.
	Boot time.Duration
	// Stop is how long it takes an instance to be deleted.
	Stop time.Duration
	// HealthCheck says that there is an autohealing policy with one: an instance
	// runs and is being verified for the last third of Boot.
	HealthCheck bool
	// Capacity is how many instances there is room for; 0: no end of it. Those
	// beyond are tried for ever, and each attempt fails with FailCode, by
	// default ZONE_RESOURCE_POOL_EXHAUSTED_WITH_DETAILS.
	Capacity int
	FailCode string
	// Quota is the size beyond which a request is refused; 0: none.
	Quota int
	// Autoscaler is the name of one that targets the group, AutoscalerMode its
	// mode; the default is none, and ON.
	Autoscaler, AutoscalerMode string
	// Labels and Metadata are those that all instances get.
	Labels, Metadata map[string]string
}

// at is where the group is: shop/zones/europe-west1-b.
func (g *Group) at() string {
	if g.Zone != "" {
		return g.Project + "/zones/" + g.Zone
	}
	return g.Project + "/regions/" + g.Region
}

type group struct {
	Group
	sizes     []sized // the newest last; what the last one says is the target size
	asked     []int   // see Asked
	instances []*instance
	stopped   int // instances of a standby pool
}

// sized is a target size and since when.
type sized struct {
	n  int
	at time.Time
}

// instance is one that the group manages.
type instance struct {
	id       uint64
	name     string
	zone     string
	wanted   time.Time // since when
	deleting time.Time // since when; zero: it stays
	sick     bool      // its health check fails
	action   string    // where it is not what the clock says
	status   string    // the same
}

// Create adds a group, with its instances running.
func (s *Server) Create(g Group) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.groups == nil {
		s.groups = make(map[string]*group)
	}
	key := g.at() + "/" + g.Name
	n := g.Size
	s.groups[key] = &group{Group: g}
	s.resize(s.groups[key], n, time.Now().Add(-time.Hour))
	if g.Autoscaler != "" {
		if s.scalers == nil {
			s.scalers = make(map[string]string)
		}
		s.scalers[g.at()+"/autoscalers/"+g.Autoscaler] = g.AutoscalerMode
	}
}

// change runs f on a group with the server held.
func (s *Server) change(location, name string, f func(g *group, now time.Time)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := time.Now()
	s.advance(now)
	for _, g := range s.groups {
		if g.Name == name && (g.Zone == location || g.Region == location) {
			f(g, now)
			return
		}
	}
	panic("gcptest: there is no group " + location + "/" + name)
}

// Asked returns the sizes that requests to resize the group asked for that were
// carried out, the oldest first.
func (s *Server) Asked(location, name string) (out []int) {
	s.change(location, name, func(g *group, _ time.Time) { out = slices.Clone(g.asked) })
	return out
}

// Resize gives the group another size at once, as somebody else would.
func (s *Server) Resize(location, name string, n int) {
	s.change(location, name, func(g *group, now time.Time) { s.resize(g, n, now) })
}

// SetCapacity changes Group.Capacity.
func (s *Server) SetCapacity(location, name string, n int) {
	s.change(location, name, func(g *group, _ time.Time) { g.Capacity = n })
}

// SetSick makes the health check of the first n instances fail.
func (s *Server) SetSick(location, name string, n int) {
	s.change(location, name, func(g *group, _ time.Time) {
		for i, it := range g.instances {
			it.sick = i < n
		}
	})
}

// SetInstance gives one instance an action and a status of its own, until both
// are empty.
func (s *Server) SetInstance(location, name string, i int, action, status string) {
	s.change(location, name, func(g *group, _ time.Time) { g.instances[i].action, g.instances[i].status = action, status })
}

// AddStopped adds stopped instances of a standby pool.
func (s *Server) AddStopped(location, name string, n int) {
	s.change(location, name, func(g *group, now time.Time) {
		for range n {
			i := s.newInstance(g, now)
			i.action, i.status = "NONE", "STOPPED"
			g.stopped++
		}
	})
}

// Instances returns the URLs of a group's instances that stay.
func (s *Server) Instances(location, name string) []string {
	var out []string
	s.change(location, name, func(g *group, _ time.Time) {
		for _, i := range g.instances {
			if i.deleting.IsZero() {
				out = append(out, i.url(g))
			}
		}
	})
	return out
}

// Delete removes one instance at once, as a person would, and the group makes
// another.
func (s *Server) Delete(location, name, url string) {
	s.change(location, name, func(g *group, now time.Time) {
		g.instances = slices.DeleteFunc(g.instances, func(i *instance) bool { return i.url(g) == url })
		s.newInstance(g, now)
	})
}

// size is the target size.
func (g *group) size() int {
	if len(g.sizes) == 0 {
		return 0
	}
	return g.sizes[len(g.sizes)-1].n
}

// visible is the target size that reads show.
func (g *group) visible(now time.Time, lag time.Duration) int {
	n := g.sizes[0].n
	for _, s := range g.sizes {
		if s.at.After(now.Add(-lag)) {
			break
		}
		n = s.n
	}
	return n
}

func (s *Server) newInstance(g *group, now time.Time) *instance {
	s.serial++
	zone := g.Zone
	if zone == "" {
		zone = g.Region + "-" + string(rune('b'+s.serial%3))
	}
	i := &instance{id: 4000000000000000000 + uint64(s.serial), name: fmt.Sprintf("%s-%04d", g.Name, s.serial), zone: zone, wanted: now}
	g.instances = append(g.instances, i)
	return i
}

// resize sets the size. On the way down those go first that do not run yet, and
// of the others the newest.
func (s *Server) resize(g *group, n int, now time.Time) {
	g.sizes = append(g.sizes, sized{n, now})
	var stay []*instance
	for _, i := range g.instances {
		if i.deleting.IsZero() && i.status != "STOPPED" {
			stay = append(stay, i)
		}
	}
	for k := len(stay); k < n; k++ {
		s.newInstance(g, now)
	}
	slices.SortStableFunc(stay, func(a, b *instance) int { return a.wanted.Compare(b.wanted) })
	for len(stay) > n {
		last := len(stay) - 1
		stay[last].deleting = now
		stay = stay[:last]
	}
}

// advance carries out what is due.
func (s *Server) advance(now time.Time) {
	for len(s.order) > 0 && !now.Before(s.order[0].due) {
		o := s.order[0]
		s.order = s.order[1:]
		o.carryOut()
	}
	for _, g := range s.groups {
		g.instances = slices.DeleteFunc(g.instances, func(i *instance) bool {
			return !i.deleting.IsZero() && now.Sub(i.deleting) >= g.Stop
		})
	}
}

// url is the instance's full URL.
func (i *instance) url(g *group) string {
	return link(g.Project + "/zones/" + i.zone + "/instances/" + i.name)
}

// state is what an instance is at: its action, its status (empty: there is no
// machine) and health, and the code that it cannot be made with.
func (g *group) state(i *instance, place int, now time.Time) (action, status, health, code string) {
	health = "UNKNOWN"
	age := now.Sub(i.wanted)
	switch {
	case !i.deleting.IsZero():
		action, status = "DELETING", "STOPPING"
	case i.action != "" || i.status != "":
		action, status = i.action, i.status
	case g.Capacity > 0 && place >= g.Capacity:
		action = "CREATING"
		if age >= g.Boot/3 {
			code = g.FailCode
			if code == "" {
				code = "ZONE_RESOURCE_POOL_EXHAUSTED_WITH_DETAILS"
			}
		}
	case age >= g.Boot:
		action, status, health = "NONE", "RUNNING", "HEALTHY"
	case age >= g.Boot*2/3 && g.HealthCheck:
		action, status = "VERIFYING", "RUNNING"
	case age >= g.Boot/3:
		action, status = "CREATING", "STAGING"
	default:
		action = "CREATING"
	}
	if i.sick {
		health = "UNHEALTHY"
	}
	return action, status, health, code
}

// describe is the resource.
func (g *group) describe(now time.Time, lag time.Duration) map[string]any {
	size := g.visible(now, lag)
	counts := map[string]any{}
	stable := true
	none := 0
	for place, i := range g.instances {
		action, status, _, _ := g.state(i, place, now)
		key := strings.ToLower(action[:1]) + strings.ToLower(action[1:])
		n, _ := counts[key].(int)
		counts[key] = n + 1
		if action == "NONE" {
			none++
		}
		stable = stable && action == "NONE" && (status == "RUNNING" || status == "STOPPED")
	}
	kind, where := "zone", g.Zone
	if g.Region != "" {
		kind, where = "region", g.Region
	}
	status := map[string]any{"isStable": stable && none == size+g.stopped}
	if g.Autoscaler != "" {
		status["autoscaler"] = link(g.at() + "/autoscalers/" + g.Autoscaler)
	}
	out := map[string]any{
		"kind": "compute#instanceGroupManager", "id": "1", "name": g.Name, "baseInstanceName": g.Name,
		"selfLink": link(g.at() + "/instanceGroupManagers/" + g.Name), "fingerprint": "MTIz",
		"instanceGroup":    link(g.at() + "/instanceGroups/" + g.Name),
		"instanceTemplate": link(g.Project + "/global/instanceTemplates/" + g.Name),
		kind:               link(g.Project + "/" + kind + "s/" + where),
		"targetSize":       size, "targetStoppedSize": g.stopped, "currentActions": counts, "status": status,
	}
	if g.HealthCheck {
		out["autoHealingPolicies"] = []any{map[string]any{"healthCheck": link(g.Project + "/global/healthChecks/ok"), "initialDelaySec": 300}}
	}
	if g.Labels != nil || g.Metadata != nil {
		out["allInstancesConfig"] = map[string]any{"properties": map[string]any{"labels": anyMap(g.Labels), "metadata": anyMap(g.Metadata)}}
	}
	return out
}

func anyMap(m map[string]string) map[string]any {
	out := make(map[string]any, len(m))
	for k, v := range m {
		out[k] = v
	}
	return out
}

// managed is what listManagedInstances says of an instance.
func (g *group) managed(i *instance, place int, now time.Time) map[string]any {
	action, status, health, code := g.state(i, place, now)
	out := map[string]any{"instance": i.url(g), "name": i.name, "currentAction": action}
	if status != "" {
		out["id"], out["instanceStatus"] = strconv.FormatUint(i.id, 10), status
		out["version"] = map[string]any{"instanceTemplate": link(g.Project + "/global/instanceTemplates/" + g.Name)}
	}
	if g.HealthCheck && status == "RUNNING" {
		out["instanceHealth"] = []any{map[string]any{"healthCheck": link(g.Project + "/global/healthChecks/ok"), "detailedHealthState": health}}
	}
	out["lastAttempt"] = map[string]any{}
	if code != "" {
		out["lastAttempt"] = map[string]any{"errors": map[string]any{"errors": []any{map[string]any{
			"code": code, "message": "The zone '" + link(g.Project+"/zones/"+i.zone) + "' does not have enough resources available to fulfill the request.",
		}}}}
	}
	return out
}
