package gcptest

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/alertscaler/alertscaler/scaler/target/standin"
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
	sizes     standin.History[int] // the last is the target size
	asked     []int                // see Asked
	instances []*instance
	stopped   int // instances of a standby pool
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
	s.state.Do(func() {
		own := &group{Group: g}
		s.groups = standin.Put(s.groups, g.at()+"/"+g.Name, own)
		s.resize(own, g.Size, time.Now().Add(-time.Hour))
		if g.Autoscaler != "" {
			s.scalers = standin.Put(s.scalers, g.at()+"/autoscalers/"+g.Autoscaler, g.AutoscalerMode)
		}
	})
}

// change runs f on a group with the server held.
func (s *Server) change(location, name string, f func(g *group, now time.Time)) {
	s.state.Do(func() {
		now := time.Now()
		s.advance(now)
		for _, g := range s.groups {
			if g.Name == name && (g.Zone == location || g.Region == location) {
				f(g, now)
				return
			}
		}
		panic("gcptest: there is no group " + location + "/" + name)
	})
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
func (s *Server) Instances(location, name string) (out []string) {
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

func (s *Server) newInstance(g *group, now time.Time) *instance {
	s.serial++
	zone := cmp.Or(g.Zone, g.Region+"-"+string(rune('b'+s.serial%3)))
	i := &instance{id: 4000000000000000000 + uint64(s.serial), name: fmt.Sprintf("%s-%04d", g.Name, s.serial), zone: zone, wanted: now}
	g.instances = append(g.instances, i)
	return i
}

// resize sets the size. On the way down those go first that do not run yet, and
// of the others the newest.
func (s *Server) resize(g *group, n int, now time.Time) {
	g.sizes.Set(n, now)
	stay := slices.DeleteFunc(slices.Clone(g.instances), func(i *instance) bool { return !i.deleting.IsZero() || i.status == "STOPPED" })
	for k := len(stay); k < n; k++ {
		s.newInstance(g, now)
	}
	slices.SortStableFunc(stay, func(a, b *instance) int { return a.wanted.Compare(b.wanted) })
	for _, i := range stay[min(n, len(stay)):] {
		i.deleting = now
	}
}

// advance carries out what is due.
func (s *Server) advance(now time.Time) {
	for len(s.order) > 0 && !now.Before(s.order[0].due) {
		o := s.order[0]
		s.order = s.order[1:]
		o.err = o.do(o.due)
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
			code = cmp.Or(g.FailCode, "ZONE_RESOURCE_POOL_EXHAUSTED_WITH_DETAILS")
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
func (g *group) describe(now time.Time, lag time.Duration) object {
	size := g.sizes.At(now.Add(-lag))
	counts := object{}
	stable := true
	for place, i := range g.instances {
		action, status, _, _ := g.state(i, place, now)
		n, _ := counts[strings.ToLower(action)].(int)
		counts[strings.ToLower(action)] = n + 1
		stable = stable && action == "NONE" && (status == "RUNNING" || status == "STOPPED")
	}
	none, _ := counts["none"].(int)
	status := object{"isStable": stable && none == size+g.stopped}
	status.AddIf(g.Autoscaler != "", "autoscaler", link(g.at()+"/autoscalers/"+g.Autoscaler))
	out := object{
		"kind": "compute#instanceGroupManager", "id": "1", "name": g.Name, "baseInstanceName": g.Name,
		"selfLink": link(g.at() + "/instanceGroupManagers/" + g.Name), "fingerprint": "MTIz",
		"instanceGroup":    link(g.at() + "/instanceGroups/" + g.Name),
		"instanceTemplate": link(g.Project + "/global/instanceTemplates/" + g.Name),
		"targetSize":       size, "targetStoppedSize": g.stopped, "currentActions": counts, "status": status,
	}
	out[standin.Either(g.Region != "", "region", "zone")] = link(g.at())
	out.AddIf(g.HealthCheck, "autoHealingPolicies",
		[]any{object{"healthCheck": link(g.Project + "/global/healthChecks/ok"), "initialDelaySec": 300}})
	out.AddIf(g.Labels != nil || g.Metadata != nil, "allInstancesConfig",
		object{"properties": object{"labels": anyMap(g.Labels), "metadata": anyMap(g.Metadata)}})
	return out
}

func anyMap(m map[string]string) object {
	out := make(object, len(m))
	for k, v := range m {
		out[k] = v
	}
	return out
}

// managed is what listManagedInstances says of an instance.
func (g *group) managed(i *instance, place int, now time.Time) object {
	action, status, health, code := g.state(i, place, now)
	out := object{"instance": i.url(g), "name": i.name, "currentAction": action}
	if status != "" {
		out["id"], out["instanceStatus"] = strconv.FormatUint(i.id, 10), status
		out["version"] = object{"instanceTemplate": link(g.Project + "/global/instanceTemplates/" + g.Name)}
	}
	out.AddIf(g.HealthCheck && status == "RUNNING", "instanceHealth",
		[]any{object{"healthCheck": link(g.Project + "/global/healthChecks/ok"), "detailedHealthState": health}})
	out["lastAttempt"] = object{}
	if code != "" {
		out["lastAttempt"] = object{"errors": object{"errors": []any{object{
			"code": code, "message": "The zone '" + link(g.Project+"/zones/"+i.zone) + "' does not have enough resources available to fulfill the request.",
		}}}}
	}
	return out
}
