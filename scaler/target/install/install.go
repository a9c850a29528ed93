// Package install names all platforms, in the one place that knows them.
package install

import (
	"github.com/alertscaler/alertscaler/scaler/target"
	"github.com/alertscaler/alertscaler/scaler/target/ansible"
	"github.com/alertscaler/alertscaler/scaler/target/docker"
	"github.com/alertscaler/alertscaler/scaler/target/process"
)

// Registry returns the platforms that come with Alertscaler. Targets built
// from the same registry share what they can, such as one client for each
// Docker Engine.
func Registry() *target.Registry {
	var engines docker.Clients
	return target.NewRegistry(
		process.NewConfig,
		engines.NewServiceConfig,
		engines.NewContainerConfig,
		ansible.NewConfig,
		ansible.NewAWXConfig,
	)
}
