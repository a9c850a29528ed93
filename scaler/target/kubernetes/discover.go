package kubernetes

import (
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
func (c *DiscoveryConfig) FilesSum() string { return c.clients.sum(c.Kubeconfig, c.Context).String() }

// Validate implements target.DiscoveryConfig. It does not ask the cluster.
func (c *DiscoveryConfig) Validate() error {
	for i, n := range c.Namespaces {
		if wrong := validation.IsDNS1123Label(n); wrong != nil {
			return &target.FieldError{Field: "namespaces", Msg: fmt.Sprintf("%q: %s", n, wrong[0])}
		}
		if slices.Contains(c.Namespaces[:i], n) {
			return &target.FieldError{Field: "namespaces", Msg: fmt.Sprintf("%q is there twice", n)}
		}
	}
	for i, k := range c.Kinds {
		if !slices.Contains(discoverable, k) {
			return &target.FieldError{Field: "kinds", Msg: fmt.Sprintf("%q cannot be discovered; the kinds are Deployment and StatefulSet", k)}
		}
		if slices.Contains(c.Kinds[:i], k) {
			return &target.FieldError{Field: "kinds", Msg: fmt.Sprintf("%q is there twice", k)}
		}
	}
	return nil
}

// New implements target.DiscoveryConfig. It reads the kubeconfig and dials
// nothing.
func (c *DiscoveryConfig) New(o target.Options) (target.Discoverer, error) {
	cl, release, err := c.clients.lend(c.Kubeconfig, c.Context, o.HTTPClient)
	if err != nil {
		return nil, fmt.Errorf("client of the cluster: %w", err)
	}
	return &discoverer{OnClose: release, cfg: *c, cluster: cl}, nil
}

// discoverer is a target.Discoverer.
type discoverer struct {
	share.OnClose
	cfg     DiscoveryConfig
	cluster *cluster
}

var (
	_ target.Files  = (*DiscoveryConfig)(nil)
	_ target.Closer = (*discoverer)(nil)
)

// Discover implements target.Discoverer.
func (d *discoverer) Discover(ctx context.Context) ([]target.Discovered, error) {
	ctx = share.Note(ctx)
	namespaces := d.cfg.Namespaces
	if len(namespaces) == 0 {
		namespaces = []string{metav1.NamespaceAll}
	}
	var out []target.Discovered
	for _, kind := range discoverable {
		if len(d.cfg.Kinds) > 0 && !slices.Contains(d.cfg.Kinds, kind) {
			continue
		}
		for _, n := range namespaces {
			found, err := d.list(ctx, kind, n)
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
func (d *discoverer) list(ctx context.Context, kind, namespace string) ([]target.Discovered, error) {
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
		req := d.cluster.rest.Get().AbsPath(path...).SetHeader("Accept", metadataOnly).
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
				out = append(out, d.found(kind, o, labels))
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
func (d *discoverer) found(kind string, o *metav1.PartialObjectMetadata, labels map[string]string) target.Discovered {
	return target.Discovered{
		Name:        o.Namespace + ":" + o.Name,
		ScaleTarget: o.Namespace + "/" + o.Name,
		What:        kind + " " + o.Namespace + "/" + o.Name,
		Labels:      labels,
		Target: &Config{
			APIVersion: "apps/v1", Kind: kind, Namespace: o.Namespace, Name: o.Name,
			Kubeconfig: d.cfg.Kubeconfig, Context: d.cfg.Context, clients: d.cfg.clients,
		},
	}
}
