// Package install names all platforms, in the one place that knows them.
package install

import (
	"github.com/alertscaler/alertscaler/scaler/target"
	"github.com/alertscaler/alertscaler/scaler/target/aliyun"
	"github.com/alertscaler/alertscaler/scaler/target/ansible"
	"github.com/alertscaler/alertscaler/scaler/target/aws"
	"github.com/alertscaler/alertscaler/scaler/target/azure"
	"github.com/alertscaler/alertscaler/scaler/target/command"
	"github.com/alertscaler/alertscaler/scaler/target/docker"
	"github.com/alertscaler/alertscaler/scaler/target/gcp"
	"github.com/alertscaler/alertscaler/scaler/target/http"
	"github.com/alertscaler/alertscaler/scaler/target/kubernetes"
	"github.com/alertscaler/alertscaler/scaler/target/nomad"
	"github.com/alertscaler/alertscaler/scaler/target/process"
)

// Registry returns the platforms that come with Alertscaler. Targets built
// from the same registry share what they can, such as one client for each
// Docker Engine, Kubernetes cluster or account of a cloud.
func Registry() *target.Registry {
	var engines docker.Clients
	var clusters kubernetes.Clients
	var amazon aws.Clients
	var google gcp.Clients
	var microsoft azure.Clients
	var alibaba aliyun.Clients
	var inventories ansible.Inventories
	return target.NewRegistry(
		process.NewConfig,
		engines.NewServiceConfig,
		engines.NewContainerConfig,
		clusters.NewConfig,
		http.NewConfig,
		command.NewConfig,
		nomad.NewConfig,
		inventories.NewConfig,
		ansible.NewAWXConfig,
		amazon.NewASGConfig,
		amazon.NewECSConfig,
		google.NewConfig,
		microsoft.NewConfig,
		alibaba.NewConfig,
	).WithDiscoveries(
		engines.NewServicesConfig,
		engines.NewContainersConfig,
		clusters.NewDiscoveryConfig,
		amazon.NewASGDiscoveryConfig,
		amazon.NewECSDiscoveryConfig,
		google.NewDiscoveryConfig,
		microsoft.NewDiscoveryConfig,
		alibaba.NewDiscoveryConfig,
	)
}
