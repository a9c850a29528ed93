package kubernetes

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	utilnet "k8s.io/apimachinery/pkg/util/net"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/transport"
	"k8s.io/client-go/util/connrotation"

	"github.com/alertscaler/alertscaler/scaler/outgoing"
	"github.com/alertscaler/alertscaler/scaler/target"
	"github.com/alertscaler/alertscaler/scaler/target/share"
)

// cluster is a client of one API server, safe for concurrent use.
type cluster struct {
	rest    rest.Interface
	objects dynamic.Interface
	close   func()
	// kinds has the resource of each schema.GroupVersionKind that find has found.
	kinds sync.Map
}

// resource is what the API server says of a kind.
type resource struct {
	schema.GroupVersionResource
	namespaced bool
}

func newCluster(cfg *rest.Config, override *http.Client) (*cluster, error) {
	cfg = dynamic.ConfigFor(cfg)
	cfg.UserAgent = fieldManager
	// Some fifty targets may be read in the same second, at two or three requests
	// each. client-go's own 5 and 10 are for controllers that read from a cache.
	cfg.QPS, cfg.Burst = 100, 200
	// Deprecations are not for every evaluation's log.
	cfg.WarningHandlerWithContext = rest.NoWarnings{}
	client, end := override, func() {}
	if client == nil {
		t, endTransport, err := newTransport(cfg)
		if err != nil {
			return nil, err
		}
		client, end = &http.Client{Transport: t}, endTransport
	}
	noting := *client
	noting.Transport = outgoing.Guard(share.Noting(cmp.Or(client.Transport, http.DefaultTransport)))
	base, err := rest.UnversionedRESTClientForConfigAndClient(cfg, &noting)
	if err != nil {
		end()
		return nil, err
	}
	once := once{base}
	return &cluster{rest: once, objects: dynamic.New(once), close: end}, nil
}

// newTransport returns how the API server is reached, and what ends it. No
// request outlasts its context.
func newTransport(cfg *rest.Config) (http.RoundTripper, func(), error) {
	own := *cfg
	own.ExecProvider = nil
	tc, err := own.TransportConfig()
	if err != nil {
		return nil, nil, err
	}
	connections := connrotation.NewConnectionTracker()
	if tc.DialHolder == nil {
		tc.DialHolder = &transport.DialHolder{Dial: (&net.Dialer{Timeout: 30 * time.Second, KeepAlive: 30 * time.Second}).DialContext}
	}
	// client-go keeps one transport for all configurations that are alike, and
	// does not look at what their files say. A dialer of its own makes this one
	// unlike all others.
	tc.DialHolder = &transport.DialHolder{Dial: connrotation.NewDialerWithTracker(tc.DialHolder.Dial, connections).DialContext}
	end := func() {}
	// As in client-go, a program is not asked where there are credentials.
	if cfg.ExecProvider != nil && !tc.HasTokenAuth() && !tc.HasBasicAuth() && !tc.HasCertAuth() {
		p, err := newPlugin(cfg, connections.CloseAll)
		if err != nil {
			return nil, nil, err
		}
		end = p.end
		tc.TLS.GetCertHolder = &transport.GetCertHolder{GetCert: p.certificate}
		tc.Wrap(func(next http.RoundTripper) http.RoundTripper { return &authorizing{plugin: p, next: next} })
	}
	rt, err := transport.New(tc)
	if err != nil {
		end()
		return nil, nil, err
	}
	return share.Deadline(rt), func() {
		end()
		utilnet.CloseIdleConnectionsFor(rt)
	}, nil
}

// once makes every request just once. client-go would wait and repeat what was
// throttled up to ten times, and the engine would not know of it.
type once struct{ rest.Interface }

func (c once) Get() *rest.Request                    { return c.Interface.Get().MaxRetries(0) }
func (c once) Put() *rest.Request                    { return c.Interface.Put().MaxRetries(0) }
func (c once) Patch(t types.PatchType) *rest.Request { return c.Interface.Patch(t).MaxRetries(0) }

// find returns the resource that serves a kind. It asks for the one group and
// version, once: a broken API of another group is no concern of ours. After
// kinds.Delete it asks again: a custom resource may have been defined anew, under
// another name.
func (c *cluster) find(ctx context.Context, op string, gvk schema.GroupVersionKind) (r resource, err error) {
	if known, ok := c.kinds.Load(gvk); ok {
		return known.(resource), nil
	}
	root := []string{"/apis", gvk.Group, gvk.Version}
	if gvk.Group == "" {
		root = []string{"/api", gvk.Version}
	}
	var list metav1.APIResourceList
	raw, err := read(ctx, c.rest.Get().AbsPath(root...), &list)
	if err == nil && list.Kind != "APIResourceList" {
		err = fmt.Errorf("the answer is no list of resources: %.100q", raw)
	}
	if err != nil {
		return resource{}, failure(ctx, op, err)
	}
	scalable := false
	for i := range list.APIResources {
		switch a := &list.APIResources[i]; {
		case a.Kind == gvk.Kind && r.Resource == "":
			r = resource{GroupVersionResource: gvk.GroupVersion().WithResource(a.Name), namespaced: a.Namespaced}
		case a.Kind == "Scale" && r.Resource != "" && a.Name == r.Resource+"/scale":
			scalable = true
		}
	}
	switch {
	case r.Resource == "":
		return resource{}, target.Errorf(target.KindNotFound, op, "the API server has no kind %s in %s", gvk.Kind, gvk.GroupVersion())
	case !scalable:
		return resource{}, target.Errorf(target.KindPermanent, op, "a %s of %s has no scale subresource, so there is no number of replicas to set", gvk.Kind, gvk.GroupVersion())
	}
	c.kinds.Store(gvk, r)
	return r, nil
}

// read makes a request, decodes its answer into out and returns it as it came,
// too.
func read(ctx context.Context, req *rest.Request, out any) ([]byte, error) {
	res := req.Do(ctx)
	// Only Error has what the server said; Raw's own error has just the code.
	if err := res.Error(); err != nil {
		return nil, err
	}
	raw, err := res.Raw()
	if err != nil {
		return nil, err
	}
	return raw, json.Unmarshal(raw, out)
}

// failure says what was tried, and what kind of error came of it.
func failure(ctx context.Context, op string, err error) error {
	err = share.Answered(ctx, err)
	e := &target.Error{Kind: kind(err), Op: op, Err: err}
	if seconds, ok := apierrors.SuggestsClientDelay(err); ok && seconds > 0 {
		e.RetryAfter = time.Duration(seconds) * time.Second
	} else if _, answered := errors.AsType[*apierrors.StatusError](err); answered {
		e.RetryAfter = share.Noted(ctx).RetryAfter
	}
	return e
}

// kind translates the API server's errors, by its own reasons.
func kind(err error) target.Kind {
	switch {
	case target.IsTimeout(err):
		return target.KindTemporary
	case apierrors.IsConflict(err):
		return target.KindConflict
	case apierrors.IsTooManyRequests(err):
		return target.KindThrottled
	case apierrors.IsForbidden(err) && strings.Contains(err.Error(), "exceeded quota"):
		// The quota admission has no reason of its own.
		return target.KindQuota
	case apierrors.IsForbidden(err), apierrors.IsUnauthorized(err):
		return target.KindUnauthorized
	case apierrors.IsNotFound(err):
		return target.KindNotFound
	case apierrors.IsInvalid(err), apierrors.IsBadRequest(err), apierrors.IsMethodNotSupported(err),
		apierrors.IsNotAcceptable(err), apierrors.IsUnsupportedMediaType(err), apierrors.IsRequestEntityTooLargeError(err):
		return target.KindPermanent
	default:
		// The server's timeouts, 5xx, and connections that came to nothing.
		return target.KindTemporary
	}
}
