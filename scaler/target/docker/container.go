package docker

import (
	"cmp"
	"fmt"
	"regexp"
	"sync"
	"time"

	"github.com/go-kit/log"
	"github.com/prometheus/common/model"

	"github.com/alertscaler/alertscaler/scaler/target"
	"github.com/alertscaler/alertscaler/scaler/target/share"
)

// ContainerConfig is the configuration of copies of one container, or of the
// containers of a compose service, under the key docker_container. Exactly one
// of Template and Compose is set.
type ContainerConfig struct {
	// Template is the name or ID of a container. It is the first replica, and
	// the others are made after it.
	Template string `yaml:"template,omitempty"`
	// Compose names a service of Docker Compose.
	Compose *ComposeConfig `yaml:"compose,omitempty"`
	// NamePrefix of the copies, which are PREFIX-2, PREFIX-3, ...; empty: the
	// template's name. Those of a compose service have Compose's names.
	NamePrefix string `yaml:"name_prefix,omitempty"`
	// StopTimeout is how long a replica may take to stop before it is killed;
	// absent: what the container itself says, which is 10s by default.
	StopTimeout *model.Duration `yaml:"stop_timeout,omitempty"`
	HostConfig  `yaml:",inline"`

	clients *Clients
}

// NewContainerConfig returns a docker_container configuration.
func (c *Clients) NewContainerConfig() target.Config { return &ContainerConfig{clients: c} }

// Platform implements target.Config.
func (*ContainerConfig) Platform() string { return "docker_container" }

// Identity implements target.Config.
func (c *ContainerConfig) Identity() string {
	if c.Compose != nil {
		return fmt.Sprintf("docker_container %s compose %s/%s", c.host(), c.Compose.Project, c.Compose.Service)
	}
	return fmt.Sprintf("docker_container %s %s", c.host(), c.Template)
}

// what names the replicas in messages.
func (c *ContainerConfig) what() string {
	if c.Compose != nil {
		return "the containers of " + c.Compose.String()
	}
	return "the containers like " + c.Template
}

// Validate implements target.Config. It does not ask the Engine.
func (c *ContainerConfig) Validate() error {
	// What the Engine takes for a name, with room for what is put behind it.
	prefix := regexp.MustCompile(`^[a-zA-Z0-9][a-zA-Z0-9_.-]*$`)
	return cmp.Or(
		target.Check(c.Template != "" || c.Compose != nil, "template", "must name a container, as `docker ps` shows it, where there is no compose"),
		target.Check(c.Template == "" || c.Compose == nil, "compose", "names the replicas, and so does template: only one of them can be given"),
		target.Check(c.NamePrefix == "" || c.Compose == nil, "name_prefix", "is for copies of a template: containers of a compose service have the names that Compose gives them"),
		c.Compose.validate(),
		target.Check(c.NamePrefix == "" || prefix.MatchString(c.NamePrefix), "name_prefix", "%q must begin with a letter or digit and go on with those, _, . and -", c.NamePrefix),
		c.HostConfig.Validate(),
	)
}

// ComposeConfig names a service of Docker Compose. Its replicas are all of its
// containers, whoever made them, but for those of docker compose run. Compose
// itself is not needed.
type ComposeConfig struct {
	// Project is the name of the project, as docker compose ls shows it.
	Project string `yaml:"project"`
	// Service is the service's name in the compose file.
	Service string `yaml:"service"`
}

// String names the service in messages.
func (c *ComposeConfig) String() string {
	return fmt.Sprintf("service %s of compose project %s", c.Service, c.Project)
}

// The names that Compose itself takes.
var (
	projectName = regexp.MustCompile(`^[a-z0-9][a-z0-9_-]*$`)
	serviceName = regexp.MustCompile(`^[a-zA-Z0-9._-]+$`)
)

// validate has nothing against one that is nil.
func (c *ComposeConfig) validate() error {
	if c == nil {
		return nil
	}
	return cmp.Or(
		target.Check(c.Project != "", "compose.project", "must name a project, as `docker compose ls` shows it"),
		target.Check(projectName.MatchString(c.Project), "compose.project", "%q is no name of a project: it has lower-case letters, digits, _ and -, and begins with a letter or digit", c.Project),
		target.Check(c.Service != "", "compose.service", "must name a service of the compose file"),
		target.Check(serviceName.MatchString(c.Service), "compose.service", "%q is no name of a service: it has letters, digits, ., _ and -", c.Service),
	)
}

// New implements target.Config.
func (c *ContainerConfig) New(o target.Options) (target.Target, error) {
	e, release, err := c.clients.lend(&c.HostConfig, o.HTTPClient)
	if err != nil {
		return nil, err
	}
	t := &containers{cfg: *c, scaleTarget: o.ScaleTarget, engine: e}
	if c.Compose != nil {
		t.logger = log.With(o.Log(), "project", c.Compose.Project, "service", c.Compose.Service)
	} else {
		t.logger = log.With(o.Log(), "template", c.Template)
	}
	t.OnClose = func() {
		t.background.Wait()
		release()
	}
	return t, nil
}

// containers is a target.Target: a container and its copies, or the containers
// of a compose service.
//
// All carry labels that say whose they are, and the Engine is the only memory:
// one counts as requested while it runs, or the Engine is about to run it
// again, under a name that does not say it is draining. The template counts
// while it runs. What has ended for good counts no more, so that the engine
// sees the loss and asks for a replacement. A copy that has is removed with
// the next change; a container of a compose service is started again on the
// way up, and removed on the way down.
//
// Close waits for the removals that are under way; the containers that run go
// on running.
type containers struct {
	share.OnClose
	cfg ContainerConfig
	// scaleTarget is put on copies as a label; empty: none is.
	scaleTarget string
	logger      log.Logger
	engine      *engine

	turn       share.Lock     // whoever has it may change things
	background sync.WaitGroup // the removals that go on after Scale returned
	// leaving has the IDs of the containers that this process stops or removes
	// right now; the template is among them while it stops.
	leaving sync.Map
}

var (
	_ target.VictimsConfig = (*ContainerConfig)(nil)
	_ target.Closer        = (*containers)(nil)
	_ target.Victims       = (*containers)(nil)
)

// stopSeconds is the stop timeout as the Engine takes it; nil: the container's
// own.
func (c *ContainerConfig) stopSeconds() *int {
	if c.StopTimeout == nil {
		return nil
	}
	// Rounded up: less than a second would be none.
	s := int((time.Duration(*c.StopTimeout) + time.Second - 1) / time.Second)
	return &s
}

// ChoosesVictims implements target.VictimsConfig.
func (*ContainerConfig) ChoosesVictims() bool { return true }
