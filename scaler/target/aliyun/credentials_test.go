package aliyun

import (
	"context"
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/alertscaler/alertscaler/scaler/target"
	"github.com/alertscaler/alertscaler/scaler/target/aliyun/aliyuntest"
	"github.com/alertscaler/alertscaler/scaler/target/targettest"
)

const testRole = "acs:ram::123456789012:role/alertscaler"

// assuming returns a server with a role, and a target that assumes it. The
// user itself may do nothing else.
func assuming(t testing.TB, role aliyuntest.Role) (*aliyuntest.Server, *Config) {
	t.Helper()
	s, host := api(t, web())
	s.Users = map[string]aliyuntest.User{testKey: {Secret: testSecret, Actions: []string{"sts:AssumeRole"}}}
	s.Roles = map[string]aliyuntest.Role{testRole: role}
	a := access(host)
	a.RoleARN, a.STSEndpoint, a.ExternalID = testRole, host, role.ExternalID
	return s, &Config{ScalingGroupID: testGroup, Access: a, clients: quick()}
}

func TestAssumeRole(t *testing.T) {
	virtual(t, testAssumeRole)
}

func testAssumeRole(t *testing.T) {
	s, cfg := assuming(t, aliyuntest.Role{Session: time.Hour, ExternalID: "shop"})
	tgt := build(t, cfg)
	if err := tgt.Scale(t.Context(), 4); err != nil {
		t.Fatal(err)
	}
	current(t, tgt)
	if calls := s.Calls()["AssumeRole"]; calls != 1 {
		t.Errorf("%d sessions, want one for all calls", calls)
	}
	// A session that ends soon is renewed before it does.
	s, cfg = assuming(t, aliyuntest.Role{Session: time.Minute})
	tgt = build(t, cfg)
	current(t, tgt)
	time.Sleep(20 * time.Millisecond)
	current(t, tgt)
	if calls := s.Calls()["AssumeRole"]; calls < 2 {
		t.Errorf("%d sessions, want another", calls)
	}
}

func TestAssumeRoleFails(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name   string
		change func(*aliyuntest.Server, *Config)
		want   target.Kind
		says   string
	}{
		{"no such role", func(_ *aliyuntest.Server, c *Config) { c.RoleARN += "-2" }, target.KindUnauthorized, "EntityNotExist.Role"},
		{"not trusted", func(_ *aliyuntest.Server, c *Config) { c.ExternalID = "x" }, target.KindUnauthorized, "AssumeRole: NoPermission"},
		{"not allowed", func(s *aliyuntest.Server, _ *Config) {
			s.Users = map[string]aliyuntest.User{testKey: {Secret: testSecret, Actions: []string{}}}
		}, target.KindUnauthorized, "NoPermission"},
		{"a wrong key", func(_ *aliyuntest.Server, c *Config) { c.AccessKeySecret = "another" }, target.KindUnauthorized, "SignatureDoesNotMatch"},
		{"too little", func(s *aliyuntest.Server, _ *Config) {
			s.Roles = map[string]aliyuntest.Role{testRole: {Session: time.Hour, Actions: []string{"ess:DescribeAlarms"}}}
		}, target.KindUnauthorized, "Forbidden.RAM"},
		{"throttled", func(s *aliyuntest.Server, _ *Config) {
			s.Fault = func(string, map[string]string) *aliyuntest.Error {
				return &aliyuntest.Error{Status: 400, Code: "Throttling.User", Message: "Slower."}
			}
		}, target.KindThrottled, "AssumeRole: Throttling.User"},
		{"out of reach", func(_ *aliyuntest.Server, c *Config) { c.STSEndpoint = unreachable }, target.KindTemporary, "refused"},
		{"no STS", func(_ *aliyuntest.Server, c *Config) { c.STSEndpoint = serve(says(200, `{"RequestId":"x"}`)) }, target.KindTemporary, "is not one of this API"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			s, cfg := assuming(t, aliyuntest.Role{Session: time.Hour})
			test.change(s, cfg)
			_, err := build(t, cfg).Current(t.Context())
			if target.KindOf(err) != test.want || !strings.Contains(err.Error(), test.says) || strings.Contains(err.Error(), testSecret) {
				t.Errorf("%v (kind %q), want kind %q and %q", err, target.KindOf(err), test.want, test.says)
			}
		})
	}
}

func TestAssumeRoleHangs(t *testing.T) {
	virtual(t, testAssumeRoleHangs)
}

func testAssumeRoleHangs(t *testing.T) {
	_, cfg := assuming(t, aliyuntest.Role{Session: time.Hour})
	cfg.STSEndpoint = serve(http.HandlerFunc(targettest.Hangs))
	tgt := build(t, cfg)
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	start := time.Now()
	if _, err := tgt.Current(ctx); !errors.Is(err, context.DeadlineExceeded) || time.Since(start) != 100*time.Millisecond {
		t.Errorf("%v after %v", err, time.Since(start))
	}
}

// TestDefaultChain finds credentials where the SDK does: here the environment,
// and a file.
func TestDefaultChain(t *testing.T) {
	home := t.TempDir()
	for _, v := range []string{
		"ALIBABA_CLOUD_ACCESS_KEY_ID", "ALIBABA_CLOUD_ACCESS_KEY_SECRET", "ALIBABA_CLOUD_SECURITY_TOKEN", "ALIBABA_CLOUD_ROLE_ARN",
		"ALIBABA_CLOUD_OIDC_PROVIDER_ARN", "ALIBABA_CLOUD_OIDC_TOKEN_FILE", "ALIBABA_CLOUD_CREDENTIALS_FILE", "ALIBABA_CLOUD_PROFILE",
		"ALIBABA_CLOUD_CREDENTIALS_URI", "ALIBABA_CLOUD_ECS_METADATA",
	} {
		t.Setenv(v, "")
	}
	t.Setenv("HOME", home)
	t.Setenv("ALIBABA_CLOUD_ECS_METADATA_DISABLED", "true")
	_, host := api(t, web())
	a := access(host)
	a.AccessKeyID, a.AccessKeySecret = "", ""
	tgt := build(t, &Config{ScalingGroupID: testGroup, Access: a, clients: quick()})
	_, err := tgt.Current(t.Context())
	if target.KindOf(err) != target.KindUnauthorized || !strings.Contains(err.Error(), "no credentials") {
		t.Errorf("without any: %v (kind %q)", err, target.KindOf(err))
	}
	// They may come while the server runs.
	t.Setenv("ALIBABA_CLOUD_ACCESS_KEY_ID", testKey)
	t.Setenv("ALIBABA_CLOUD_ACCESS_KEY_SECRET", testSecret)
	if st := current(t, tgt); st.Requested != 2 {
		t.Errorf("from the environment: %+v", st)
	}
	t.Setenv("ALIBABA_CLOUD_ACCESS_KEY_ID", "")
	t.Setenv("ALIBABA_CLOUD_ACCESS_KEY_SECRET", "")
	dir := filepath.Join(home, ".alibabacloud")
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	text := "[default]\ntype = access_key\naccess_key_id = " + testKey + "\naccess_key_secret = " + testSecret + "\n"
	if err := os.WriteFile(filepath.Join(dir, "credentials"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	tgt = build(t, &Config{ScalingGroupID: testGroup, Access: a, clients: quick()})
	if st := current(t, tgt); st.Requested != 2 {
		t.Errorf("from a file: %+v", st)
	}
}
