package azure

import (
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/alertscaler/alertscaler/scaler/target"
	"github.com/alertscaler/alertscaler/scaler/target/azure/azuretest"
)

// TestKinds: what Azure answers, and what the engine is told.
func TestKinds(t *testing.T) {
	t.Parallel()
	quota := "Operation could not be completed as it results in exceeding approved Total Regional Cores quota."
	for _, test := range []struct {
		name  string
		fault azuretest.Fault
		want  target.Kind
		says  string
		after time.Duration
	}{
		{"throttled", azuretest.Fault{
			Status: 429, Code: "OperationNotAllowed", Message: "The server rejected the request because too many requests have been received for this subscription, quota.",
			Header: map[string]string{"Retry-After": "17", "x-ms-ratelimit-remaining-resource": "Microsoft.Compute/PutVMScaleSet3Min;0"},
		}, target.KindThrottled, "too many requests", 17 * time.Second},
		{"throttled in milliseconds", azuretest.Fault{Status: 429, Code: "TooManyRequests", Header: map[string]string{"x-ms-retry-after-ms": "250"}}, target.KindThrottled, "", 250 * time.Millisecond},
		{"allocation", azuretest.Fault{Status: 409, Code: "AllocationFailed"}, target.KindQuota, "AllocationFailed", 0},
		{"zone", azuretest.Fault{Status: 409, Code: "ZonalAllocationFailed"}, target.KindQuota, "", 0},
		{"overconstrained", azuretest.Fault{Status: 409, Code: "OverconstrainedAllocationRequest"}, target.KindQuota, "", 0},
		{"size", azuretest.Fault{Status: 409, Code: "SkuNotAvailable"}, target.KindQuota, "", 0},
		{"quota", azuretest.Fault{Status: 409, Code: "QuotaExceeded"}, target.KindQuota, "", 0},
		{"quota in the text", azuretest.Fault{Status: 409, Code: "OperationNotAllowed", Message: quota}, target.KindQuota, "exceeding approved", 0},
		{"quota in an older text", azuretest.Fault{Status: 409, Code: "OperationNotAllowed", Message: "Operation results in exceeding quota limits of Core. Maximum allowed: 4."}, target.KindQuota, "", 0},
		{"busy with a name", azuretest.Fault{Status: 409, Code: "OperationNotAllowed", Message: "The scale set 'quota' is being deallocated."}, target.KindConflict, "deallocated", 0},
		{"quota in the details", azuretest.Fault{
			Status: 400, Code: "InvalidRequest", Message: "See the details.", Details: []azuretest.Detail{{Code: "QuotaExceeded", Message: "No more."}},
		}, target.KindQuota, "", 0},
		{"busy", azuretest.Fault{Status: 409, Code: "OperationNotAllowed", Message: "The scale set is being deallocated."}, target.KindConflict, "deallocated", 0},
		{"conflict", azuretest.Fault{Status: 409, Code: "Conflict"}, target.KindConflict, "", 0},
		{"preempted", azuretest.Fault{Status: 409, Code: "OperationPreempted"}, target.KindConflict, "", 0},
		{"changed", azuretest.Fault{Status: 412, Code: "ConditionNotMet"}, target.KindConflict, "", 0},
		{"locked", azuretest.Fault{Status: 409, Code: "ScopeLocked"}, target.KindPermanent, "", 0},
		{"policy", azuretest.Fault{Status: 403, Code: "RequestDisallowedByPolicy"}, target.KindPermanent, "", 0},
		{"forbidden", azuretest.Fault{Status: 403, Code: "AuthorizationFailed"}, target.KindUnauthorized, "", 0},
		{"not signed in", azuretest.Fault{Status: 401, Code: "ExpiredAuthenticationToken"}, target.KindUnauthorized, "", 0},
		{"gone", azuretest.Fault{Status: 404, Code: "ResourceNotFound"}, target.KindNotFound, "", 0},
		{"invalid", azuretest.Fault{Status: 400, Code: "InvalidParameter"}, target.KindPermanent, "", 0},
		{"broken", azuretest.Fault{Status: 500, Code: "InternalServerError"}, target.KindTemporary, "", 0},
		{"down", azuretest.Fault{Status: 503, Code: "ServerBusy", Header: map[string]string{"Retry-After": "3"}}, target.KindTemporary, "", 3 * time.Second},
		{"no code", azuretest.Fault{Status: 502}, target.KindTemporary, "HTTP status 502", 0},
		{"no code of a request that is wrong", azuretest.Fault{Status: 400}, target.KindTemporary, "HTTP status 400", 0},
	} {
		t.Run(test.name, func(t *testing.T) {
			virtual(t, func(t *testing.T) {
				f := start(t, nil, web())
				s := open(t, f.config("web"))
				test.fault.Method = http.MethodPatch
				f.Fail(test.fault)
				f.Requests()
				err := s.Scale(t.Context(), 3)
				wantKind(t, "Scale", err, test.want, test.says)
				if got := target.RetryAfter(err); got != test.after {
					t.Errorf("retry after %v, want %v", got, test.after)
				}
				if n := count(f.Requests(), "PATCH "); n != 1 {
					t.Errorf("%d attempts, want 1: the engine does the retrying", n)
				}
				if st := current(t, s); st.Requested != 1 || st.Failed != nil {
					t.Errorf("%+v after a request that was refused", st)
				}
			})
		})
	}
}

// TestNoAnswers has something else answer each kind of question with status
// 200: nothing is read from it, and nobody has gone because of it.
func TestNoAnswers(t *testing.T) {
	t.Parallel()
	for _, body := range []string{"{}", "null", "[]", "<html>", `{"name":"other","sku":{"capacity":0}}`, `{"value":null}`} {
		t.Run(body, func(t *testing.T) {
			t.Parallel()
			f := start(t, nil, web())
			f.Fail(azuretest.Fault{Path: "/subscriptions/", Status: 200, Raw: body})
			s := open(t, f.config("web"))
			st, err := s.Current(t.Context())
			wantKind(t, "Current", err, target.KindTemporary, "list the scale sets")
			if st != (target.State{}) {
				t.Errorf("%+v beside an error", st)
			}
			wantKind(t, "Scale", s.Scale(t.Context(), 3), target.KindTemporary, "scale scale set shop/web")
			cfg := &DiscoveryConfig{Access: access(f.URL()), clients: f.clients}
			d, err := cfg.New(target.Options{})
			if err != nil {
				t.Fatal(err)
			}
			all, err := d.Discover(t.Context())
			wantKind(t, "Discover", err, target.KindTemporary, "list the scale sets")
			if all != nil {
				t.Errorf("found %v beside an error", all)
			}
		})
	}
}

// TestTokens: what may become of a token, and that a secret is read again.
func TestTokens(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name  string
		fault azuretest.Fault
		want  target.Kind
		after time.Duration
	}{
		{"refused", azuretest.Fault{Status: 401, Code: "invalid_client", Message: "AADSTS7000222: The secret is expired."}, target.KindUnauthorized, 0},
		{"throttled", azuretest.Fault{Status: 429, Code: "temporarily_unavailable", Header: map[string]string{"Retry-After": "5"}}, target.KindThrottled, 5 * time.Second},
		{"down", azuretest.Fault{Status: 503, Code: "temporarily_unavailable"}, target.KindTemporary, 0},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			f := start(t, nil, web())
			test.fault.Path = "/oauth2/v2.0/token"
			f.Fail(test.fault)
			_, err := open(t, f.config("web")).Current(t.Context())
			wantKind(t, "Current", err, test.want, "get a token")
			if got := target.RetryAfter(err); got != test.after {
				t.Errorf("retry after %v, want %v", got, test.after)
			}
		})
	}
	t.Run("secret file", func(t *testing.T) {
		t.Parallel()
		f := start(t, nil, web())
		file := filepath.Join(t.TempDir(), "secret")
		cfg := f.config("web")
		cfg.ClientSecret, cfg.ClientSecretFile = "", file
		s := open(t, cfg)
		_, err := s.Current(t.Context())
		wantKind(t, "without the file", err, target.KindUnauthorized, "client_secret_file")
		for _, secret := range []string{"wrong", azuretest.Secret + "\n"} {
			if err := os.WriteFile(file, []byte(secret), 0o600); err != nil {
				t.Fatal(err)
			}
			if _, err = s.Current(t.Context()); secret == "wrong" {
				wantKind(t, "wrong secret", err, target.KindUnauthorized, "invalid_client")
			}
		}
		if err != nil {
			t.Errorf("with the right secret: %v", err)
		}
	})
}
