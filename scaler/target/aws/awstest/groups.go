package awstest

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/alertscaler/alertscaler/scaler/target/standin"
)

// Group is an Auto Scaling group.
type Group struct {
	Name              string
	Min, Max, Desired int
	Tags              map[string]string
	// Boot is the time until an instance is InService, Stop the time that it is
	// Terminating.
	Boot, Stop time.Duration
	// Room is how many instances its zones have capacity for; 0: any. What goes
	// beyond is tried again every Retry, and fails with Complaint.
	Room      int
	Retry     time.Duration
	Complaint string
	// Suspended are the names of processes.
	Suspended []string
	// Policies are its scaling policies.
	Policies []Policy
	// Refresh is the status of its instance refresh; empty: it never had one.
	Refresh string
	// Operator manages it; empty: nobody does.
	Operator string
	// Protect protects new instances from scale-in.
	Protect bool
	// Weight is that of each instance, 0 for none.
	Weight int
	// Status is set while it is being deleted.
	Status string
}

// Policy is a scaling policy.
type Policy struct {
	Name, Type string
	Disabled   bool
	// Mode is that of predictive scaling. Empty says that its configuration is
	// described all the same, with nothing in it.
	Mode  string
	Empty bool
}

// Instance is an instance of a group.
type Instance struct {
	ID, Zone string
	// State is its lifecycle state, Health Healthy or Unhealthy.
	State, Health string
	Protected     bool
	until         time.Time // when the state ends by itself
	activity      *activity
}

// activity is a scaling activity as it is described.
type activity struct {
	ActivityID                                          string `xml:"ActivityId"`
	AutoScalingGroupName, Description, Cause, StartTime string
	EndTime                                             string `xml:",omitempty"`
	StatusCode                                          string
	StatusMessage                                       string `xml:",omitempty"`
	Progress                                            int
	started                                             time.Time
}

// end ends an activity.
func (a *activity) end(at time.Time, status, message string) {
	a.EndTime, a.StatusCode, a.StatusMessage, a.Progress = stamp(at), status, message, 100
}

type group struct {
	Group
	created    time.Time
	instances  []*Instance
	activities []*activity // the oldest first
	shown      standin.History[int]
	tried      time.Time // when a launch failed last
	serial     int
}

// complaint is what AWS says where a zone has no more instances.
const complaint = "We currently do not have sufficient t3.large capacity in the Availability Zone you requested (%sa). Our system will be working on provisioning additional capacity. Launching EC2 instance failed."

// AddGroup adds a group whose instances are all in service, or replaces the one
// of its name.
func (s *Server) AddGroup(g Group) {
	s.state.Do(func() {
		it := &group{Group: g, created: time.Now()}
		it.shown.Set(g.Desired, time.Time{})
		it.Boot = 0
		s.settle(it)
		s.settle(it)
		it.Boot = g.Boot
		s.groups[g.Name] = it
	})
}

// ChangeGroup changes a group as someone else would.
func (s *Server) ChangeGroup(name string, change func(*Group)) {
	s.state.Do(func() {
		g := s.groups[name]
		change(&g.Group)
		s.show(&g.shown, g.Desired)
		s.settle(g)
	})
}

// DeleteGroup makes a group go.
func (s *Server) DeleteGroup(name string) { s.state.Do(func() { delete(s.groups, name) }) }

// Instances returns the instances of a group as they are.
func (s *Server) Instances(name string) (out []Instance) {
	s.state.Do(func() {
		s.settle(s.groups[name])
		for _, i := range s.groups[name].instances {
			out = append(out, *i)
		}
	})
	return out
}

// ChangeInstance changes an instance, which keeps its state from then on.
func (s *Server) ChangeInstance(group, id string, change func(*Instance)) {
	s.state.Do(func() {
		for _, i := range s.groups[group].instances {
			if i.ID == id {
				change(i)
				i.until = time.Time{}
			}
		}
	})
}

// show notes the number that is shown once the lag is over.
func (s *Server) show(h *standin.History[int], desired int) {
	if h.Last() != desired {
		h.Set(desired, time.Now().Add(s.Lag))
	}
}

func (i *Instance) counts() bool { return i.State == "Pending" || i.State == "InService" }

func (g *group) suspended(process string) bool { return slices.Contains(g.Suspended, process) }

// weight is how much of the desired capacity an instance is.
func (g *group) weight() int { return max(1, g.Weight) }

// settle brings the group to this moment.
func (s *Server) settle(g *group) {
	now := time.Now()
	g.instances = slices.DeleteFunc(g.instances, func(i *Instance) bool {
		if i.until.IsZero() || i.until.After(now) {
			return false
		}
		i.activity.end(i.until, "Successful", "")
		if i.State == "Pending" {
			i.State, i.until = "InService", time.Time{}
		}
		return i.State == "Terminating"
	})
	have := 0
	for _, i := range g.instances {
		if i.counts() {
			have += g.weight()
		}
	}
	for ; have < g.Desired && !g.suspended("Launch"); have += g.weight() {
		if !s.launch(g, have, now) {
			return
		}
	}
	for have >= g.Desired+g.weight() && !g.suspended("Terminate") {
		oldest := slices.IndexFunc(g.instances, func(i *Instance) bool { return i.counts() && !i.Protected })
		if oldest < 0 {
			return
		}
		s.terminate(g, g.instances[oldest], now)
		have -= g.weight()
	}
}

// launch starts an instance and reports whether there was room for it.
func (s *Server) launch(g *group, have int, now time.Time) bool {
	a := s.newActivity(g, "Launching a new EC2 instance", now)
	if g.Room > 0 && have >= g.Room {
		if now.Sub(g.tried) >= g.Retry {
			g.tried = now
			a.end(now, "Failed", cmp.Or(g.Complaint, fmt.Sprintf(complaint, s.Region)))
			g.activities = append(g.activities, a)
		}
		return false
	}
	g.serial++
	i := &Instance{
		ID: fmt.Sprintf("i-%017x", s.ids), Zone: s.Region + string(rune('a'+g.serial%3)),
		State: "Pending", Health: "Healthy", Protected: g.Protect, until: now.Add(g.Boot), activity: a,
	}
	a.Description += ": " + i.ID
	g.activities = append(g.activities, a)
	g.instances = append(g.instances, i)
	return true
}

func (s *Server) terminate(g *group, i *Instance, now time.Time) *activity {
	a := s.newActivity(g, "Terminating EC2 instance: "+i.ID, now)
	g.activities = append(g.activities, a)
	i.State, i.until, i.activity = "Terminating", now.Add(g.Stop), a
	return a
}

func (s *Server) newActivity(g *group, description string, now time.Time) *activity {
	s.ids++
	return &activity{
		ActivityID: fmt.Sprintf("activity-%d", s.ids), AutoScalingGroupName: g.Name, Description: description,
		Cause: "At " + stamp(now) + " it was asked for.", StartTime: stamp(now), StatusCode: "InProgress", Progress: 50, started: now,
	}
}
