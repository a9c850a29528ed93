package azure

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// The versions of the API that the shapes below are of. The first ones with an
// etag of scale sets came in 2024.
const (
	computeVersion  = "2024-07-01"
	insightsVersion = "2022-10-01"
)

// What the API calls its states.
const (
	provisioned  = "Succeeded"
	deleting     = "Deleting"
	powerRunning = "PowerState/running"
	healthy      = "HealthState/healthy"
)

// setModel is what is read of a scale set.
type setModel struct {
	ID   string            `json:"id"`
	Name string            `json:"name"`
	Etag string            `json:"etag"`
	Tags map[string]string `json:"tags"`
	SKU  struct {
		// Capacity is the number last requested. Sets of flexible orchestration
		// that have no profile of their machines have none.
		Capacity *int `json:"capacity"`
	} `json:"sku"`
	Properties struct {
		ProvisioningState    string `json:"provisioningState"`
		OrchestrationMode    string `json:"orchestrationMode"`
		SinglePlacementGroup bool   `json:"singlePlacementGroup"`
		ScaleInPolicy        struct {
			Rules []string `json:"rules"`
		} `json:"scaleInPolicy"`
	} `json:"properties"`
}

func (m *setModel) flexible() bool {
	return strings.EqualFold(m.Properties.OrchestrationMode, "Flexible")
}

// limit is the most instances that a set can have.
func (m *setModel) limit() int {
	if m.Properties.SinglePlacementGroup {
		return 100
	}
	return 1000
}

// letsGo orders two instances as the set's own policy lets them go, apart from
// the balance of its zones and fault domains.
func (m *setModel) letsGo(a, b vmModel) int {
	rule := ""
	if rules := m.Properties.ScaleInPolicy.Rules; len(rules) > 0 {
		rule = rules[0]
	}
	byTime := a.Properties.TimeCreated.Compare(b.Properties.TimeCreated)
	byID := compareIDs(a.id(), b.id())
	switch {
	case rule == "NewestVM":
		return cmp.Or(-byTime, -byID)
	case rule == "OldestVM" || m.flexible():
		return cmp.Or(byTime, byID)
	default:
		return -byID
	}
}

// compareIDs compares numbers as such.
func compareIDs(a, b string) int {
	x, errX := strconv.Atoi(a)
	y, errY := strconv.Atoi(b)
	if errX == nil && errY == nil {
		return cmp.Compare(x, y)
	}
	return cmp.Compare(a, b)
}

type statusModel struct {
	Code string `json:"code"`
}

// vmModel is what is read of an instance: of a virtualMachine of a uniform set,
// and of a virtual machine that is in a flexible one.
type vmModel struct {
	Name       string `json:"name"`
	InstanceID string `json:"instanceId"` // of uniform sets alone
	Properties struct {
		ProvisioningState string    `json:"provisioningState"`
		TimeCreated       time.Time `json:"timeCreated"`
		ProtectionPolicy  struct {
			FromScaleIn  bool `json:"protectFromScaleIn"`
			FromAnything bool `json:"protectFromScaleSetActions"`
		} `json:"protectionPolicy"`
		OSProfile struct {
			ComputerName string `json:"computerName"` // the machine's name for itself
		} `json:"osProfile"`
		InstanceView struct {
			Statuses []statusModel `json:"statuses"`
			Health   struct {
				Status statusModel `json:"status"`
			} `json:"vmHealth"`
		} `json:"instanceView"`
	} `json:"properties"`
}

// id is by which deleteInstances takes it: the instance's ID in a uniform set,
// the machine's name in a flexible one.
func (v vmModel) id() string { return cmp.Or(v.InstanceID, v.Name) }

func (v vmModel) protected() bool {
	p := v.Properties.ProtectionPolicy
	return p.FromScaleIn || p.FromAnything
}

func (v vmModel) deleting() bool {
	return strings.EqualFold(v.Properties.ProvisioningState, deleting)
}

// ready reports whether it is made, runs, and is healthy where something looks
// after that.
func (v vmModel) ready() bool {
	view := v.Properties.InstanceView
	health := view.Health.Status.Code
	return strings.EqualFold(v.Properties.ProvisioningState, provisioned) &&
		(health == "" || strings.EqualFold(health, healthy)) &&
		slices.ContainsFunc(view.Statuses, func(s statusModel) bool { return strings.EqualFold(s.Code, powerRunning) })
}

// settingModel is what is read of an autoscale setting.
type settingModel struct {
	Name       string `json:"name"`
	Properties struct {
		Enabled bool   `json:"enabled"`
		Target  string `json:"targetResourceUri"`
	} `json:"properties"`
}
