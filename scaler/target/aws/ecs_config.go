package aws

import (
	"cmp"
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
	return cmp.Or(checkName("cluster", c.Cluster), checkName("service", c.Service), c.validate())
}

// checkName reports what is wrong with the name of a cluster or a service, which
// is under a key called the same.
func checkName(what, name string) error {
	return cmp.Or(
		target.Check(name != "", what, "must name the %s", what),
		target.Check(!strings.HasPrefix(name, "arn:"), what, "must be the name of the %s, not its ARN", what),
		target.Check(validECSName(name), what, "%q is no name of a %s: letters, digits, - and _", name, what),
	)
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
