package aliyun

import (
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/alertscaler/alertscaler/scaler/target"
	"github.com/alertscaler/alertscaler/scaler/target/aliyun/aliyuntest"
)

// TestKinds has every call of a change answer badly, each for itself.
func TestKinds(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		status int
		code   string
		want   target.Kind
	}{
		{400, "Throttling", target.KindThrottled},
		{400, "Throttling.User", target.KindThrottled},
		{503, "Throttling.Api", target.KindThrottled},
		{429, "TooManyRequests", target.KindThrottled},
		{400, "QuotaExceeded.SecurityGroupInstance", target.KindQuota},
		{403, "QuotaExceed.ElasticQuota", target.KindQuota},
		{400, "IncorrectCapacity.MaxSize", target.KindQuota},
		{400, "IncorrectCapacity.MinSize", target.KindPermanent},
		{403, "OperationDenied.NoStock", target.KindQuota},
		{403, "Zone.NotOnSale", target.KindQuota},
		{400, "InvalidAccountStatus.NotEnoughBalance", target.KindQuota},
		{404, "InvalidScalingGroupId.NotFound", target.KindNotFound},
		{404, "InvalidAction.NotFound", target.KindPermanent},
		{403, "Forbidden.Unauthorized", target.KindUnauthorized},
		{403, "Forbidden.RAM", target.KindUnauthorized},
		{403, "NoPermission", target.KindUnauthorized},
		{403, "SomethingNew", target.KindUnauthorized},
		{404, "InvalidAccessKeyId.NotFound", target.KindUnauthorized},
		{400, "InvalidAccessKeyId.Inactive", target.KindUnauthorized},
		{400, "SignatureDoesNotMatch", target.KindUnauthorized},
		{400, "InvalidSecurityToken.Expired", target.KindUnauthorized},
		{400, "IncorrectScalingGroupStatus", target.KindConflict},
		{400, "ScalingActivityInProgress", target.KindConflict},
		{400, "InvalidParameter", target.KindPermanent},
		{400, "MissingParameter.RegionId", target.KindPermanent},
		{500, "InternalError", target.KindTemporary},
		{503, "ServiceUnavailable", target.KindTemporary},
		{400, "SignatureNonceUsed", target.KindTemporary},
		{502, "", target.KindTemporary},
	} {
		t.Run(test.code, func(t *testing.T) {
			t.Parallel()
			for _, action := range []string{"DescribeScalingGroups", "DescribeAlarms", "ModifyScalingGroup", "ScaleWithAdjustment"} {
				g := web()
				g.Expected = action == "ModifyScalingGroup"
				s, host := api(t, g)
				s.Fault = func(called string, _ map[string]string) *aliyuntest.Error {
					if called != action {
						return nil
					}
					return &aliyuntest.Error{Status: test.status, Code: test.code, Message: "Because."}
				}
				err := at(t, host).Scale(t.Context(), 4)
				e, ok := errors.AsType[*target.Error](err)
				if !ok || e.Kind != test.want || !strings.Contains(err.Error(), test.code) || !strings.Contains(e.Op, testGroup) {
					t.Errorf("%s: %v (kind %q), want kind %q", action, err, target.KindOf(err), test.want)
				}
				if calls := s.Calls()[action]; calls != 1 {
					t.Errorf("%s: %d calls: the SDK tries again by itself", action, calls)
				}
			}
		})
	}
}

func TestRetryAfter(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name   string
		header map[string]string
		want   time.Duration
	}{
		{"none", nil, 0},
		{"Retry-After", map[string]string{"Retry-After": "7"}, 7 * time.Second},
		{"of the API", map[string]string{"x-ratelimit-user-api": "Limit:1,Remain:0,TimeLeft:2000"}, 2 * time.Second},
		{"of the user", map[string]string{"x-ratelimit-user": "Limit:1,Remain:0,TimeLeft:1500"}, 1500 * time.Millisecond},
	} {
		s, host := api(t, web())
		s.Fault = func(string, map[string]string) *aliyuntest.Error {
			return &aliyuntest.Error{Status: 400, Code: "Throttling.User", Message: "Request was denied due to user flow control.", Header: test.header}
		}
		_, err := at(t, host).Current(t.Context())
		if target.KindOf(err) != target.KindThrottled || target.RetryAfter(err) != test.want {
			t.Errorf("%s: %v, after %v, want %v", test.name, err, target.RetryAfter(err), test.want)
		}
	}
}

// TestNoAPI has something else answer: its pages must not be taken for a region
// without groups.
func TestNoAPI(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		answer http.HandlerFunc
		want   target.Kind
	}{
		"page":        {says(200, "<html>"), target.KindTemporary},
		"empty":       {says(200, ""), target.KindTemporary},
		"object":      {says(200, "{}"), target.KindTemporary},
		"list":        {says(200, "[1]"), target.KindTemporary},
		"null":        {says(200, "null"), target.KindTemporary},
		"bad gateway": {says(502, "<h1>Bad Gateway</h1>"), target.KindTemporary},
		"forbidden":   {says(403, "<h1>Forbidden</h1>"), target.KindUnauthorized},
		"list of 400": {says(400, "[1]"), target.KindTemporary},
		"XML":         {says(503, "<Error/>"), target.KindTemporary},
		"moved":       {func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/ui/", http.StatusFound) }, target.KindTemporary},
		"cut":         {func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, target.KindTemporary},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			tgt := at(t, serve(test.answer))
			st, err := tgt.Current(t.Context())
			if target.KindOf(err) != test.want || st != (target.State{}) {
				t.Errorf("%+v, %v (kind %q), want kind %q", st, err, target.KindOf(err), test.want)
			}
		})
	}
}

func says(status int, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(status)
		_, _ = w.Write([]byte(body))
	}
}

// TestCodesAreOfOneKind: the longest beginning that fits counts, so that none may
// be hidden by another.
func TestCodesAreOfOneKind(t *testing.T) {
	t.Parallel()
	for name, kind := range codes {
		for other, is := range codes {
			if strings.HasPrefix(name, strings.TrimSuffix(other, "*")) && kind != is {
				t.Errorf("%s is %s, and %s says %s", name, kind, other, is)
			}
		}
		if !slices.Contains(target.Kinds, kind) {
			t.Errorf("%s is of no kind", name)
		}
	}
}

func TestKindOfActivity(t *testing.T) {
	t.Parallel()
	for code, want := range map[string]target.Kind{
		"OperationDenied.NoStock":       target.KindQuota,
		"QuotaExceed.ElasticQuota":      target.KindQuota,
		"Throttling":                    target.KindTemporary,
		"InternalError":                 target.KindTemporary,
		"Forbidden.RAM":                 target.KindUnauthorized,
		"InvalidImageId.NotFound":       target.KindPermanent,
		"InvalidScalingGroupId.Missing": target.KindPermanent,
		"":                              target.KindPermanent,
	} {
		if got := kindOfActivity(code); got != want {
			t.Errorf("%q is %s, want %s", code, got, want)
		}
	}
}
