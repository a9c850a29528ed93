package kubernetes

import (
	"cmp"
	"fmt"
	"strings"
	"time"

	"github.com/prometheus/common/model"
	"k8s.io/apimachinery/pkg/api/validate/content"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/validation"

	"github.com/alertscaler/alertscaler/scaler/target"
)

// Config is the configuration of a resource with a scale subresource, under the
// key kubernetes.
type Config struct {
	// APIVersion and Kind say what it is, as in its manifest. The default is
	// a Deployment of apps/v1.
	APIVersion string `yaml:"api_version"`
	Kind       string `yaml:"kind"`
	// Namespace it is in; only a custom resource may be in none.
	Namespace string `yaml:"namespace,omitempty"`
	Name      string `yaml:"name"`
	// Kubeconfig is the file that says where the cluster is and who we are.
	// Empty: the pod's own service account where we run in one and Context is
	// empty, else $KUBECONFIG, else ~/.kube/config.
	Kubeconfig string `yaml:"kubeconfig,omitempty"`
	// Context is the one of the kubeconfig to use; empty: its current one.
	Context string `yaml:"context,omitempty"`
	// Ready is where the resource itself says how many of its replicas serve: a
	// JSONPath, or several with + between them. Empty: see workload.ready.
	Ready string `yaml:"ready,omitempty"`
	// UnschedulableTimeout is how long pods may be without a node before that
	// counts as no room; absent: 5m, as a node that a cluster autoscaler orders
	// takes some minutes to come.
	UnschedulableTimeout *model.Duration `yaml:"unschedulable_timeout,omitempty"`
	// AllowOtherOwners scales it even where a HorizontalPodAutoscaler or a
	// controller that owns it sets the same number, each undoing the other.
	AllowOtherOwners bool `yaml:"allow_other_owners,omitempty"`

	clients *Clients
}

var (
	_ target.VictimsConfig = (*Config)(nil)
	_ target.Files         = (*Config)(nil)
)

// UnmarshalYAML sets the defaults and decodes over them.
func (c *Config) UnmarshalYAML(unmarshal func(any) error) error {
	*c = Config{APIVersion: "apps/v1", Kind: "Deployment", clients: c.clients}
	type plain Config
	return unmarshal((*plain)(c))
}

// SetDirectory makes relative file names relative to dir.
func (c *Config) SetDirectory(dir string) {
	c.Kubeconfig = target.JoinPath(dir, c.Kubeconfig)
}

// Platform implements target.Config.
func (*Config) Platform() string { return "kubernetes" }

// Identity implements target.Config. The version is not part of it: it is the
// same thing in each.
func (c *Config) Identity() string {
	id := "kubernetes"
	if c.Kubeconfig != "" {
		id += " kubeconfig=" + c.Kubeconfig
	}
	if c.Context != "" {
		id += " context=" + c.Context
	}
	return fmt.Sprintf("%s %s %s", id, c.gvk().GroupKind(), c.path())
}

// FilesSum implements target.Files.
func (c *Config) FilesSum() string {
	return clientKey{c.Kubeconfig, c.Context, c.clients}.FilesSum()
}

// Validate implements target.Config. It does not ask the cluster.
func (c *Config) Validate() error {
	gv, err := schema.ParseGroupVersion(c.APIVersion)
	label, name := wrong(validation.IsDNS1123Label(c.Namespace)), wrong(content.IsPathSegmentName(c.Name))
	_, readyErr := parseCounts(c.Ready)
	return cmp.Or(
		target.Check(err == nil && gv.Version != "", "api_version", "%q is not a group and version such as apps/v1", c.APIVersion),
		target.Check(c.Kind != "" && !strings.ContainsAny(c.Kind, "/. "), "kind", "%q is not a kind such as Deployment", c.Kind),
		target.Check(c.Namespace != "" || !builtIn(gv.Group), "namespace", "must name the namespace that the %s is in", c.Kind),
		target.Check(c.Namespace == "" || label == "", "namespace", "%q: %s", c.Namespace, label),
		target.Check(c.Name != "", "name", "must name the %s to scale", c.Kind),
		target.Check(name == "", "name", "%q %s", c.Name, name),
		target.CheckError("ready", readyErr),
	)
}

// wrong is the first of what Kubernetes' own checks say; empty: nothing.
func wrong(says []string) string { return strings.Join(says[:min(1, len(says))], "") }

// New implements target.Config. It reads the kubeconfig and dials nothing.
func (c *Config) New(o target.Options) (target.Target, error) {
	serving, err := parseCounts(c.Ready)
	if err != nil {
		return nil, fmt.Errorf("ready: %w", err)
	}
	cl, release, err := c.clients.lend(c.Kubeconfig, c.Context, o.HTTPClient)
	if err != nil {
		return nil, fmt.Errorf("client of the cluster of %s: %w", c.describe(), err)
	}
	w := &workload{
		OnClose: release, serving: serving, unschedulable: unschedulableTimeout,
		gvk: c.gvk(), namespace: c.Namespace, name: c.Name, what: c.describe(),
		cluster: cl, allowOthers: c.AllowOtherOwners, logger: o.Log(),
	}
	w.last.Store(&request{at: time.Now()})
	if c.UnschedulableTimeout != nil {
		w.unschedulable = time.Duration(*c.UnschedulableTimeout)
	}
	if hasPods(w.gvk) {
		return podsTarget{w}, nil
	}
	return w, nil
}

func (c *Config) gvk() schema.GroupVersionKind {
	return schema.FromAPIVersionAndKind(c.APIVersion, c.Kind)
}

func (c *Config) path() string {
	return strings.TrimPrefix(c.Namespace+"/"+c.Name, "/")
}

// describe names the target in errors: Deployment shop/web.
func (c *Config) describe() string { return c.Kind + " " + c.path() }

// builtIn reports whether Kubernetes' own controllers keep the status of the
// group's resources.
func builtIn(group string) bool { return group == "" || group == "apps" }

// ChoosesVictims implements target.VictimsConfig. How the controller of a custom
// resource chooses, nobody knows.
func (c *Config) ChoosesVictims() bool { return hasPods(c.gvk()) }
