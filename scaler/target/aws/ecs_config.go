package aws

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/alertscaler/alertscaler/scaler/target"
	"github.com/alertscaler/alertscaler/scaler/target/share"
)

// defaultCluster is the one that ECS takes where none is named.
const defaultCluster = "default"

// ecsName is what ECS allows as the name of a cluster or a service, of up to
// longestECSName characters.
var ecsName = regexp.MustCompile(`^[a-zA-Z0-9_-]+$`)

const longestECSName = 255

func validECSName(name string) bool {
	return len(name) <= longestECSName && ecsName.MatchString(name)
}

// ECSConfig is the configuration of a service of ECS, under the key aws_ecs.
type ECSConfig struct {
	Connection `yaml:",inline"`
	// Cluster the service is in, by name.
	Cluster string `yaml:"cluster"`
	// Service is its name.
	Service string `yaml:"service"`
	// AllowOtherOwners scales it even where it is registered with Application
	// Auto Scaling, which sets the same number, each undoing the other.
	AllowOtherOwners bool `yaml:"allow_other_owners,omitempty"`

	clients *Clients
}

var _ target.Config = (*ECSConfig)(nil)

// Platform implements target.Config.
func (*ECSConfig) Platform() string { return "aws_ecs" }

// Identity implements target.Config.
func (c *ECSConfig) Identity() string {
	return "aws_ecs" + c.identity() + c.Cluster + "/" + c.Service
}

// Validate implements target.Config. It asks nobody.
func (c *ECSConfig) Validate() error {
	for _, n := range []struct{ field, name, what string }{
		{"cluster", c.Cluster, "cluster"},
		{"service", c.Service, "service"},
	} {
		switch {
		case n.name == "":
			return &target.FieldError{Field: n.field, Msg: "must name the " + n.what}
		case strings.HasPrefix(n.name, "arn:"):
			return &target.FieldError{Field: n.field, Msg: "must be the name of the " + n.what + ", not its ARN"}
		case !validECSName(n.name):
			return &target.FieldError{Field: n.field, Msg: fmt.Sprintf("%q is no name of a %s: letters, digits, - and _", n.name, n.what)}
		}
	}
	return c.validate()
}

// New implements target.Config. It reads the shared configuration files and
// dials nothing.
func (c *ECSConfig) New(o target.Options) (target.Target, error) {
	a, release, err := c.clients.get(c.Connection, o.HTTPClient)
	if err != nil {
		return nil, fmt.Errorf("clients of service %s/%s: %w", c.Cluster, c.Service, err)
	}
	t := &ecsTarget{id: key{cluster: c.Cluster, name: c.Service}}
	t.account, t.allowOthers, t.failureStands = a, c.AllowOtherOwners, failureStands
	t.owner.Fetch, t.owner.Age = share.Only(t.scaledBy), unownedFor
	unuse := a.services.Use(t.id)
	t.OnClose = func() { unuse(); release() }
	return t, nil
}
