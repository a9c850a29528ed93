package kubernetes

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/validation"

	"github.com/alertscaler/alertscaler/scaler/target"
	"github.com/alertscaler/alertscaler/scaler/target/share"
)

// workloadsPerPage bounds one answer; there may be thousands.
const workloadsPerPage = 500

// metadataOnly asks for what the API server knows of objects without what is
// in them.
const metadataOnly = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1"

// discoverable are the kinds that are looked for.
var discoverable = []string{"Deployment", "StatefulSet"}

// DiscoveryConfig is the configuration of a discovery of Deployments and
// StatefulSets, under the key kubernetes.
type DiscoveryConfig struct {
	// Kubeconfig and Context say which cluster, as in Config.
	Kubeconfig string `yaml:"kubeconfig,omitempty"`
	Context    string `yaml:"context,omitempty"`
	// Namespaces to look in; none: all of the cluster.
	Namespaces []string `yaml:"namespaces,omitempty"`
	// Kinds to look for; none: Deployment and StatefulSet.
	Kinds []string `yaml:"kinds,omitempty"`

	clients *Clients
}

// NewDiscoveryConfig returns a configuration of a discovery with its defaults.
func (c *Clients) NewDiscoveryConfig() target.DiscoveryConfig { return &DiscoveryConfig{clients: c} }

// SetDirectory makes relative file names relative to dir.
func (c *DiscoveryConfig) SetDirectory(dir string) {
	c.Kubeconfig = target.JoinPath(dir, c.Kubeconfig)
}

// Platform implements target.DiscoveryConfig.
func (*DiscoveryConfig) Platform() string { return "kubernetes" }

// FilesSum implements target.Files.
func (c *DiscoveryConfig) FilesSum() string {
	return clientKey{c.Kubeconfig, c.Context, c.clients}.FilesSum()
}

// Validate implements target.DiscoveryConfig. It does not ask the cluster.
func (c *DiscoveryConfig) Validate() error {
	for i, n := range c.Namespaces {
		says := wrong(validation.IsDNS1123Label(n))
		if err := cmp.Or(
			target.Check(says == "", "namespaces", "%q: %s", n, says),
			target.Check(!slices.Contains(c.Namespaces[:i], n), "namespaces", "%q is there twice", n),
		); err != nil {
			return err
		}
	}
	return target.CheckList("kinds", c.Kinds, func(k string) bool { return slices.Contains(discoverable, k) },
		"%q cannot be discovered; the kinds are Deployment and StatefulSet", nil)
}

// New implements target.DiscoveryConfig. It reads the kubeconfig and dials
// nothing.
func (c *DiscoveryConfig) New(o target.Options) (target.Discoverer, error) {
	cl, release, err := c.clients.lend(c.Kubeconfig, c.Context, o.HTTPClient)
	if err != nil {
		return nil, fmt.Errorf("client of the cluster: %w", err)
	}
	return share.NewDiscoverer(cl, release, c.find), nil
}

var _ target.Files = (*DiscoveryConfig)(nil)

func (c *DiscoveryConfig) find(ctx context.Context, cl *cluster) ([]target.Discovered, error) {
	ctx = share.Note(ctx)
	namespaces := c.Namespaces
	if len(namespaces) == 0 {
		namespaces = []string{metav1.NamespaceAll}
	}
	var out []target.Discovered
	for _, kind := range discoverable {
		if len(c.Kinds) > 0 && !slices.Contains(c.Kinds, kind) {
			continue
		}
		for _, n := range namespaces {
			found, err := c.list(ctx, cl, kind, n)
			if err != nil {
				return nil, err
			}
			out = append(out, found...)
		}
	}
	return out, nil
}

// list returns the labelled ones of a kind. Annotations cannot be asked for,
// so all are listed, page by page; the pages are of one moment.
func (c *DiscoveryConfig) list(ctx context.Context, cl *cluster, kind, namespace string) ([]target.Discovered, error) {
	resource := strings.ToLower(kind) + "s"
	op := "list the " + resource + " of all namespaces"
	path := []string{"/apis/apps/v1", resource}
	if namespace != metav1.NamespaceAll {
		op = "list the " + resource + " of namespace " + namespace
		path = []string{"/apis/apps/v1/namespaces", namespace, resource}
	}
	var out []target.Discovered
	next := ""
	for {
		req := cl.rest.Get().AbsPath(path...).SetHeader("Accept", metadataOnly).
			Param("limit", strconv.Itoa(workloadsPerPage))
		if next != "" {
			req.Param("continue", next)
		}
		page := new(metav1.PartialObjectMetadataList)
		raw, err := read(ctx, req, page)
		if err != nil {
			return nil, failure(ctx, op, err)
		}
		if !strings.HasSuffix(page.Kind, "List") {
			// To take it for one would be to take all for gone.
			return nil, failure(ctx, op, fmt.Errorf("the answer is no list: %.100q", raw))
		}
		for i := range page.Items {
			o := &page.Items[i]
			// Where both say something the annotation counts.
			labels := target.Asking(o.Labels, o.Annotations)
			if _, ok := labels["enable"]; ok && o.DeletionTimestamp == nil {
				out = append(out, c.found(kind, o, labels))
			}
		}
		if next = page.Continue; next == "" {
			return out, nil
		}
	}
}

// found is a workload as the engine takes it. Its policy's name is
// namespace:name, since a slash would not do in one; scale_target has the
// slash that the shipped rules put there.
func (c *DiscoveryConfig) found(kind string, o *metav1.PartialObjectMetadata, labels map[string]string) target.Discovered {
	return target.Discovered{
		Name:        o.Namespace + ":" + o.Name,
		ScaleTarget: o.Namespace + "/" + o.Name,
		What:        kind + " " + o.Namespace + "/" + o.Name,
		Labels:      labels,
		Target: &Config{
			APIVersion: "apps/v1", Kind: kind, Namespace: o.Namespace, Name: o.Name,
			Kubeconfig: c.Kubeconfig, Context: c.Context, clients: c.clients,
		},
	}
}
