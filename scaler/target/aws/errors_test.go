package aws

import (
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/alertscaler/alertscaler/scaler/target"
	"github.com/alertscaler/alertscaler/scaler/target/aws/awstest"
)

// TestKinds has both services answer badly: to everything, and only where
// something would change.
func TestKinds(t *testing.T) {
	t.Parallel()
	header := func(k, v string) http.Header { return http.Header{k: {v}} }
	for _, test := range []struct {
		name  string
		fault awstest.Fault
		want  target.Kind
		says  string
		after time.Duration
	}{
		{"throttled", awstest.Fault{Status: 400, Code: "Throttling", Message: "Rate exceeded"}, target.KindThrottled, "Throttling: Rate exceeded (request 0", 0},
		{"throttled by JSON", awstest.Fault{Status: 400, Code: "ThrottlingException", Message: "Rate exceeded", Header: header("Retry-After", "7")}, target.KindThrottled, "Rate exceeded", 7 * time.Second},
		{"limit of requests", awstest.Fault{Status: 503, Code: "RequestLimitExceeded", Header: header("X-Amz-Retry-After", "1500")}, target.KindThrottled, "RequestLimitExceeded", 1500 * time.Millisecond},
		{"activity", awstest.Fault{Status: 400, Code: "ScalingActivityInProgress", Message: "wait"}, target.KindConflict, "wait", 0},
		{"contention", awstest.Fault{Status: 500, Code: "ResourceContention", Message: "pending update"}, target.KindConflict, "pending update", 0},
		{"limit", awstest.Fault{Status: 400, Code: "LimitExceeded", Message: "too many"}, target.KindQuota, "too many", 0},
		{"capacity", awstest.Fault{Status: 400, Code: "InsufficientInstanceCapacity", Message: "none"}, target.KindQuota, "none", 0},
		{"denied", awstest.Fault{Status: 403, Code: "AccessDenied", Message: "User is not authorized"}, target.KindUnauthorized, "not authorized", 0},
		{"denied by JSON", awstest.Fault{Status: 400, Code: "AccessDeniedException", Message: "no"}, target.KindUnauthorized, "no", 0},
		{"operation", awstest.Fault{Status: 403, Code: "UnauthorizedOperation", Message: "no"}, target.KindUnauthorized, "no", 0},
		{"expired", awstest.Fault{Status: 403, Code: "ExpiredToken", Message: "expired"}, target.KindUnauthorized, "expired", 0},
		{"key", awstest.Fault{Status: 403, Code: "InvalidClientTokenId", Message: "invalid"}, target.KindUnauthorized, "invalid", 0},
		{"key by JSON", awstest.Fault{Status: 400, Code: "UnrecognizedClientException", Message: "invalid"}, target.KindUnauthorized, "invalid", 0},
		{"validation", awstest.Fault{Status: 400, Code: "ValidationError", Message: "bad"}, target.KindPermanent, "bad", 0},
		{"parameter", awstest.Fault{Status: 400, Code: "InvalidParameterException", Message: "bad"}, target.KindPermanent, "bad", 0},
		{"cluster", awstest.Fault{Status: 400, Code: "ClusterNotFoundException", Message: "gone"}, target.KindNotFound, "gone", 0},
		{"service", awstest.Fault{Status: 400, Code: "ServiceNotFoundException", Message: "gone"}, target.KindNotFound, "gone", 0},
		{"inactive", awstest.Fault{Status: 400, Code: "ServiceNotActiveException", Message: "gone"}, target.KindNotFound, "gone", 0},
		{"server", awstest.Fault{Status: 500, Code: "InternalFailure", Message: "oops"}, target.KindTemporary, "oops", 0},
		{"server by JSON", awstest.Fault{Status: 500, Code: "ServerException", Message: "oops"}, target.KindTemporary, "oops", 0},
		{"unknown 4xx", awstest.Fault{Status: 400, Code: "NobodyKnows", Message: "what"}, target.KindPermanent, "what", 0},
		{"unknown 403", awstest.Fault{Status: 403, Code: "NobodyKnows", Message: "what"}, target.KindUnauthorized, "what", 0},
		{"no code", awstest.Fault{Status: 503, Raw: "{}"}, target.KindTemporary, "503", 0},
		{"redirect", awstest.Fault{Status: 307, Header: header("Location", "https://elsewhere.example.com/x?token=1")}, target.KindPermanent, "307", 0},
		{"broken off", awstest.Fault{Status: 500, Raw: "<ErrorResponse><Error><Co"}, target.KindTemporary, "500", 0},
		{"broken off JSON", awstest.Fault{Status: 400, Raw: "{\"__type\": \"Thr"}, target.KindTemporary, "400", 0},
		{"unknown 5xx", awstest.Fault{Status: 500, Code: "NobodyKnows", Message: "what"}, target.KindTemporary, "what", 0},
		{"proxy", awstest.Fault{Status: 502, Raw: "<h1>Bad Gateway</h1>"}, target.KindTemporary, "502", 0},
		{"proxy's limit", awstest.Fault{Status: 429, Raw: "slow down", Header: header("Retry-After", "3")}, target.KindThrottled, "429", 3 * time.Second},
		{"not an answer", awstest.Fault{Status: 200, Raw: "what?"}, target.KindTemporary, "", 0},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			for _, change := range []bool{false, true} {
				s, conn := serveRegion(t)
				s.AddGroup(web())
				s.AddService(shop())
				s.Fail(func(c awstest.Call) *awstest.Fault {
					if change && c.Action != "SetDesiredCapacity" && c.Action != "UpdateService" {
						return nil
					}
					return &test.fault
				})
				// Over the network, with the SDK's own client of HTTP.
				conn.Endpoint = listen(t, s)
				for name, tgt := range map[string]target.Target{
					"group web":        build(t, &ASGConfig{Connection: conn, Name: "web", clients: new(Clients)}),
					"service shop/web": build(t, &ECSConfig{Connection: conn, Cluster: "shop", Service: "web", clients: new(Clients)}),
				} {
					if change && test.name == "not an answer" && name == "group web" {
						continue // SetDesiredCapacity has no answer that could be read
					}
					s.Forget()
					err := tgt.Scale(t.Context(), 4)
					e, ok := errors.AsType[*target.Error](err)
					if !ok || e.Kind != test.want || e.RetryAfter != test.after || !strings.Contains(err.Error(), test.says) || !strings.Contains(e.Op, name) {
						t.Errorf("%s, change %t: %v (kind %q, retry after %v), want kind %q and %q", name, change, err, target.KindOf(err), target.RetryAfter(err), test.want, test.says)
					}
					if n := len(s.Calls("SetDesiredCapacity", "UpdateService")); n > 1 || (n == 0) == change {
						t.Errorf("%s, change %t: %d requests", name, change, n)
					}
				}
			}
		})
	}
}

// TestCredentials: who may and who may not.
func TestCredentials(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		profile string
		want    target.Kind
		says    string
	}{
		{"good", "", ""},
		{"wrong", target.KindUnauthorized, "SignatureDoesNotMatch"},
		{"unknown", target.KindUnauthorized, "InvalidClientTokenId"},
		{"empty", target.KindUnauthorized, "credentials: "},
	} {
		s, conn := serveRegion(t)
		s.AddGroup(web())
		conn.Profile = test.profile
		_, err := asg(t, conn).Current(t.Context())
		wantKind(t, test.profile, err, test.want, test.says)
	}
	_, conn := serveRegion(t)
	conn.Profile = "absent"
	if _, err := (&ASGConfig{Connection: conn, Name: "web"}).New(target.Options{}); err == nil || !strings.Contains(err.Error(), "absent") {
		t.Errorf("a profile that does not exist: %v", err)
	}
	if _, err := (&ASGConfig{Name: "web"}).New(target.Options{}); err == nil || !strings.Contains(err.Error(), "no region is known") {
		t.Errorf("without a region: %v", err)
	}
}

// TestRole assumes a role, and assumes it anew once its token is good no
// longer.
func TestRole(t *testing.T) {
	virtual(t, testRole)
}

func testRole(t *testing.T) {
	s, conn := serveRegion(t)
	s.AddGroup(web())
	conn.RoleARN = s.AddRole("scaler", "shop", time.Second, "autoscaling:*")
	_, err := asg(t, conn).Current(t.Context())
	wantKind(t, "without the external ID", err, target.KindUnauthorized, "credentials: HTTP status 403, AccessDenied")
	conn.ExternalID, conn.SessionName = "shop", "alertscaler-1"
	tgt := asg(t, conn)
	for range 2 {
		if _, err := tgt.Current(t.Context()); err != nil {
			t.Fatal(err)
		}
		time.Sleep(10 * time.Millisecond)
	}
	assumed := s.Calls("AssumeRole")
	if n := len(assumed); n != 2 || assumed[1].Form.Get("RoleSessionName") != "alertscaler-1" {
		t.Errorf("%d times assumed, one of them in vain: %v", n, assumed)
	}
	for _, c := range s.Calls("DescribeAutoScalingGroups") {
		if !strings.HasPrefix(c.Key, "ASIA") {
			t.Errorf("asked by %s and not by the role", c.Key)
		}
	}
	eventually(t, "the token expires", func() error {
		if _, err := tgt.Current(t.Context()); target.KindOf(err) != target.KindUnauthorized {
			return errors.New("it is still good")
		}
		return nil
	})
	if _, err := tgt.Current(t.Context()); err != nil {
		t.Errorf("after the token expired: %v", err)
	}
	// Of a role, the one who assumes it may be missing too.
	conn.Profile = "empty"
	_, err = asg(t, conn).Current(t.Context())
	wantKind(t, "nobody assumes it", err, target.KindUnauthorized, "credentials: ")
	conn.Profile, conn.Endpoint = "good", "http://nowhere.test"
	_, err = asg(t, conn).Current(t.Context())
	wantKind(t, "STS does not answer", err, target.KindTemporary, "credentials: ")
}
