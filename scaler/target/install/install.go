// Package install names all platforms, in the one place that knows them.
package install

import (
	"github.com/alertscaler/alertscaler/scaler/target"
	"github.com/alertscaler/alertscaler/scaler/target/ansible"
	"github.com/alertscaler/alertscaler/scaler/target/azure"
	"github.com/alertscaler/alertscaler/scaler/target/docker"
	"github.com/alertscaler/alertscaler/scaler/target/http"
	"github.com/alertscaler/alertscaler/scaler/target/kubernetes"
	"github.com/alertscaler/alertscaler/scaler/target/nomad"
	"github.com/alertscaler/alertscaler/scaler/target/process"
)

// Registry returns the platforms that come with Alertscaler. Targets built
// from the same registry share what they can, such as one client for each
// Docker Engine, Kubernetes cluster or Azure subscription.
func Registry() *target.Registry {
	var engines docker.Clients
	var clusters kubernetes.Clients
	var subscriptions azure.Clients
	return target.NewRegistry(
		process.NewConfig,
		engines.NewServiceConfig,
		engines.NewContainerConfig,
		clusters.NewConfig,
		http.NewConfig,
		nomad.NewConfig,
		subscriptions.NewConfig,
		ansible.NewConfig,
		ansible.NewAWXConfig,
	).WithDiscoveries(
		engines.NewServicesConfig,
		engines.NewContainersConfig,
		clusters.NewDiscoveryConfig,
		subscriptions.NewDiscoveryConfig,
	)
}
