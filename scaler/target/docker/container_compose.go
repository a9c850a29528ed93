package docker

import (
	"context"
	"fmt"
	"regexp"

	"github.com/containerd/errdefs"
	"github.com/moby/moby/client"

	"github.com/alertscaler/alertscaler/scaler/target"
)

// The labels by which Compose knows its containers.
const (
	composePrefix  = "com.docker.compose."
	composeProject = composePrefix + "project"
	composeService = composePrefix + "service"
	composeNumber  = composePrefix + "container-number"
	composeOneOff  = composePrefix + "oneoff"  // "True" on those of docker compose run
	composeReplace = composePrefix + "replace" // the ID of the container that this one takes the place of
)

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

func (c *ComposeConfig) validate() error {
	switch {
	case c.Project == "":
		return &target.FieldError{Field: "compose.project", Msg: "must name a project, as `docker compose ls` shows it"}
	case !projectName.MatchString(c.Project):
		return &target.FieldError{Field: "compose.project", Msg: fmt.Sprintf("%q is no name of a project: it has lower-case letters, digits, _ and -, and begins with a letter or digit", c.Project)}
	case c.Service == "":
		return &target.FieldError{Field: "compose.service", Msg: "must name a service of the compose file"}
	case !serviceName.MatchString(c.Service):
		return &target.FieldError{Field: "compose.service", Msg: fmt.Sprintf("%q is no name of a service: it has letters, digits, ., _ and -", c.Service)}
	}
	return nil
}

// label makes the copies containers of the service, for Compose to take for
// its own: it goes by the labels, which are those of the container that the
// copy is made after but for the number.
func (c *ComposeConfig) label(b *blueprint) {
	b.prefix, b.first, b.indexLabels = c.Project+"-"+c.Service, 1, []string{composeNumber}
	delete(b.config.Labels, composeReplace)
	// A copy of a template may be what this one is made after.
	delete(b.config.Labels, labelTemplate)
	delete(b.config.Labels, labelReplica)
}

// readService reads the containers of the compose service.
func (c *containers) readService(ctx context.Context, op string, f *fleet) error {
	service := make(client.Filters).Add("label", composeProject+"="+c.cfg.Compose.Project, composeService+"="+c.cfg.Compose.Service)
	all, err := c.list(ctx, op, f, service, composeNumber)
	if err != nil {
		return err
	}
	if len(all) == 0 {
		return target.Errorf(target.KindNotFound, op, "there is no container of it, running or stopped, to make others after; docker compose create makes one")
	}
	f.template.ID = all[0].ID
	return nil
}

// inspectTemplate reads the container that copies are made after, where that
// has not been done.
func (c *containers) inspectTemplate(ctx context.Context, op string, f *fleet) error {
	if f.template.Config != nil {
		return nil
	}
	t, err := c.engine.inspect(ctx, f.template.ID)
	if errdefs.IsNotFound(err) {
		// It was there a moment ago, and the service still may be.
		return &target.Error{Kind: target.KindConflict, Op: op, Err: err}
	}
	f.template = t
	return c.engine.failure(ctx, op, err)
}
