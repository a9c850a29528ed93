package azure

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/arm"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"
	"golang.org/x/time/rate"

	"github.com/alertscaler/alertscaler/scaler/outgoing"
	"github.com/alertscaler/alertscaler/scaler/target"
	"github.com/alertscaler/alertscaler/scaler/target/share"
)

const (
	// maxPages bounds a list that has no end.
	maxPages = 1000
	// recountEvery and recountBurst are how often the instances of sets that
	// look settled may be counted again, all sets of an account together.
	// Azure allows some thirty lists of instances a minute.
	recountEvery = 3 * time.Second
	recountBurst = 10
	// settledFor is how long a count of a set that looks settled is believed.
	settledFor = 30 * time.Second
	// maxConns is how many requests of an account are under way at once.
	maxConns = 16
)

// account is one subscription as one identity sees it. All methods are safe for
// concurrent use.
type account struct {
	arm  *arm.Client
	http *http.Client
	base *url.URL // the endpoint
	// root is /subscriptions/ID.
	root       string
	recount    *rate.Limiter
	settledFor time.Duration

	listings share.Readings[string, sets]              // by their scopes
	owners   share.Readings[string, map[string]string] // by resource groups

	groups share.Pool[string, struct{}] // that targets are in

	mu      sync.Mutex           // guards what is below
	refused map[string]time.Time // scopes whose list is not for us
}

func newAccount(access Access, override *http.Client, settledFor time.Duration) (*account, error) {
	hc := override
	if hc == nil {
		t := share.Transport()
		t.MaxConnsPerHost = maxConns
		hc = &http.Client{Transport: t}
	}
	own := *hc
	own.Transport = outgoing.Guard(hc.Transport)
	// They try once, since the engine does the retrying.
	o := policy.ClientOptions{
		Cloud:     access.cloud(),
		Transport: transport{next: &own, tokensOnlyTo: access.endpoint()},
		Retry:     policy.RetryOptions{MaxRetries: -1},
		Telemetry: policy.TelemetryOptions{ApplicationID: "alertscaler"},
	}
	cred, err := access.credential(o)
	if err != nil {
		return nil, err
	}
	client, err := arm.NewClient("alertscaler", "v1.0.0", tokens{cred}, &arm.ClientOptions{
		ClientOptions: o, DisableRPRegistration: true,
	})
	if err != nil {
		return nil, err
	}
	base, err := url.Parse(access.endpoint())
	if err != nil {
		return nil, err
	}
	a := &account{
		arm: client, http: hc, base: base, root: "/subscriptions/" + access.SubscriptionID,
		recount: rate.NewLimiter(rate.Every(recountEvery), recountBurst), settledFor: settledFor,
		refused: make(map[string]time.Time),
	}
	a.listings.Fetch, a.listings.Age = share.Only(a.load), listedFor
	a.owners.Fetch, a.owners.Age = share.Only(a.autoscaled), unownedFor
	return a, nil
}

// close is called once nobody uses the account any more.
func (a *account) close() { a.http.CloseIdleConnections() }

// groupPath is that of a resource group.
func (a *account) groupPath(group string) string {
	return a.root + "/resourceGroups/" + url.PathEscape(group)
}

// scaleSetsPath is that of the scale sets, under those of a subscription and of a
// resource group.
const scaleSetsPath = "/providers/Microsoft.Compute/virtualMachineScaleSets"

// setPath is that of a scale set.
func (a *account) setPath(group, name string) string {
	return a.groupPath(group) + scaleSetsPath + "/" + url.PathEscape(name)
}

// url is that of a path under the endpoint.
func (a *account) url(path, version string, query url.Values) string {
	q := url.Values{"api-version": {version}}
	maps.Copy(q, query)
	return a.base.String() + path + "?" + q.Encode()
}

// send sends one request, with a body where it is not nil, and returns a
// buffered answer that is a success.
func (a *account) send(ctx context.Context, method, address string, body any, header http.Header) (*http.Response, error) {
	return share.Within(ctx, func(ctx context.Context) (*http.Response, error) {
		req, err := runtime.NewRequest(ctx, method, address)
		if err != nil {
			return nil, err
		}
		req.Raw().Header.Set("Accept", "application/json")
		maps.Copy(req.Raw().Header, header)
		if body != nil {
			if err := runtime.MarshalAsJSON(req, body); err != nil {
				return nil, err
			}
		}
		res, err := a.arm.Pipeline().Do(req)
		if err != nil {
			return nil, err
		}
		if !runtime.HasStatusCode(res, http.StatusOK, http.StatusCreated, http.StatusAccepted, http.StatusNoContent) {
			return nil, runtime.NewResponseError(res)
		}
		return res, nil
	})
}

// get reads one thing.
func (a *account) get(ctx context.Context, op, address string, into any) error {
	res, err := a.send(ctx, http.MethodGet, address, nil, nil)
	if err == nil {
		err = runtime.UnmarshalAsJSON(res, into)
	}
	return failure(ctx, op, err)
}

// set reads one scale set as it is now.
func (a *account) set(ctx context.Context, op, group, name string) (*setModel, error) {
	m := new(setModel)
	if err := a.get(ctx, op, a.url(a.setPath(group, name), computeVersion, nil), m); err != nil {
		return nil, err
	}
	if !strings.EqualFold(m.Name, name) {
		// {} of whoever else answers would be a set without a capacity.
		return nil, target.Errorf(target.KindTemporary, op, "HTTP status 200: the answer is not the description of the scale set")
	}
	return m, nil
}

// instances lists those of a scale set.
func (a *account) instances(ctx context.Context, op, group string, m *setModel) ([]vmModel, error) {
	if m.flexible() {
		return list[vmModel](ctx, a, op, a.url(a.groupPath(group)+"/providers/Microsoft.Compute/virtualMachines", computeVersion, url.Values{
			"$filter": {fmt.Sprintf("'virtualMachineScaleSet/id' eq '%s'", m.ID)}, "$expand": {"instanceView"},
		}))
	}
	return list[vmModel](ctx, a, op, a.url(a.setPath(group, m.Name)+"/virtualMachines", computeVersion, url.Values{
		"$expand": {"instanceView"},
	}))
}

// list reads all pages of a list.
func list[T any](ctx context.Context, a *account, op, address string) ([]T, error) {
	var all []T
	for range maxPages {
		var page struct {
			Value    []json.RawMessage `json:"value"`
			NextLink string            `json:"nextLink"`
		}
		if err := a.get(ctx, op, address, &page); err != nil {
			return nil, err
		}
		if page.Value == nil {
			// A list that is empty is there all the same. What is missing from
			// one would be taken for gone.
			return nil, target.Errorf(target.KindTemporary, op, "HTTP status 200: the answer has no list")
		}
		for _, raw := range page.Value {
			var item T
			if err := json.Unmarshal(raw, &item); err != nil {
				return nil, target.Errorf(target.KindTemporary, op, "an entry of the list is of an unknown form: %w", err)
			}
			all = append(all, item)
		}
		if page.NextLink == "" {
			return all, nil
		}
		// The token goes with it.
		if next, err := url.Parse(page.NextLink); err != nil || next.Scheme != a.base.Scheme || !strings.EqualFold(next.Host, a.base.Host) {
			return nil, target.Errorf(target.KindPermanent, op, "the next page is at %q, which is not the endpoint %s", page.NextLink, a.base)
		}
		address = page.NextLink
	}
	return nil, target.Errorf(target.KindPermanent, op, "the list has more than %d pages", maxPages)
}
