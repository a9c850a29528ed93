// Package install names all platforms, in the one place that knows them.
package install

import (
	"github.com/alertscaler/alertscaler/scaler/target"
	"github.com/alertscaler/alertscaler/scaler/target/aliyun"
	"github.com/alertscaler/alertscaler/scaler/target/ansible"
	"github.com/alertscaler/alertscaler/scaler/target/docker"
	"github.com/alertscaler/alertscaler/scaler/target/http"
	"github.com/alertscaler/alertscaler/scaler/target/kubernetes"
	"github.com/alertscaler/alertscaler/scaler/target/nomad"
	"github.com/alertscaler/alertscaler/scaler/target/process"
)

// Registry returns the platforms that come with Alertscaler. Targets built
// from the same registry share what they can, such as one client for each
// Docker Engine or Kubernetes cluster.
func Registry() *target.Registry {
	var accounts aliyun.Clients
	var engines docker.Clients
	var clusters kubernetes.Clients
	return target.NewRegistry(
		process.NewConfig,
		engines.NewServiceConfig,
		engines.NewContainerConfig,
		clusters.NewConfig,
		http.NewConfig,
		nomad.NewConfig,
		ansible.NewConfig,
		ansible.NewAWXConfig,
		accounts.NewConfig,
	).WithDiscoveries(
		engines.NewServicesConfig,
		engines.NewContainersConfig,
		clusters.NewDiscoveryConfig,
		accounts.NewDiscoveryConfig,
	)
}
