package aliyun

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"github.com/alertscaler/alertscaler/scaler/target"
)

// decode is how the server decodes a platform's part of its configuration.
func decode(cfg any, text string) error {
	dec := yaml.NewDecoder(bytes.NewBufferString(text))
	dec.KnownFields(true)
	return dec.Decode(cfg)
}

func TestConfig(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"{ scaling_group_id: asg-1, region: cn-hangzhou }": "aliyun_ess cn-hangzhou asg-1",
		"{ scaling_group_id: asg-2, region: ap-southeast-1, endpoint: 'localhost:8080', protocol: http, access_key_id: a, access_key_secret: secret-1, " +
			"role_arn: 'acs:ram::123456789012:role/alertscaler', external_id: x, sts_endpoint: sts.example.com, allow_other_owners: true }": "aliyun_ess ap-southeast-1 asg-2",
	} {
		cfg := new(Clients).NewConfig()
		if err := decode(cfg, text); err != nil {
			t.Fatal(err)
		}
		if err := cfg.Validate(); err != nil || cfg.Identity() != want {
			t.Errorf("%s: %v, identity %q, want %q", text, err, cfg.Identity(), want)
		}
		if printed, err := yaml.Marshal(cfg); err != nil || strings.Contains(string(printed), "secret-1") {
			t.Errorf("%v\n%s", err, printed)
		}
		if v, ok := cfg.(target.VictimsConfig); !ok || !v.ChoosesVictims() {
			t.Error("it chooses no victims")
		}
		// Nothing is dialed.
		if _, err := cfg.New(target.Options{}); err != nil {
			t.Error(err)
		}
	}
}

func TestConfigErrors(t *testing.T) {
	t.Parallel()
	const good = "scaling_group_id: asg-1, region: cn-hangzhou, "
	for _, test := range []struct{ name, text, field, want string }{
		{"unknown key", "scaling_group_id: asg-1\nzone: y", "", "line 2: field zone not found"},
		{"no group", "{ region: cn-hangzhou }", "scaling_group_id", "is not the ID"},
		{"a name", "{ region: cn-hangzhou, scaling_group_id: web }", "scaling_group_id", "a name will not do"},
		{"no region", "{ scaling_group_id: asg-1 }", "region", "such as cn-hangzhou"},
		{"a zone's letters", "{ scaling_group_id: asg-1, region: CN_Hangzhou }", "region", "such as cn-hangzhou"},
		{"protocol", "{ " + good + "protocol: ftp }", "protocol", "neither https nor http"},
		{"a URL", "{ " + good + "endpoint: 'https://ess.aliyuncs.com' }", "endpoint", "belongs in protocol"},
		{"a path", "{ " + good + "endpoint: ess.aliyuncs.com/ess }", "endpoint", "is not a host"},
		{"secret alone", "{ " + good + "access_key_secret: secret }", "access_key_secret", "no access_key_id"},
		{"key alone", "{ " + good + "access_key_id: a }", "access_key_id", "has no access_key_secret"},
		{"role", "{ " + good + "role_arn: alertscaler }", "role_arn", "acs:ram::"},
		{"external ID alone", "{ " + good + "external_id: x }", "external_id", "there is none"},
		{"STS alone", "{ " + good + "sts_endpoint: sts.aliyuncs.com }", "sts_endpoint", "there is none"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			cfg := new(Clients).NewConfig()
			err := decode(cfg, test.text)
			if err == nil {
				err = cfg.Validate()
			}
			fe, ok := errors.AsType[*target.FieldError](err)
			if (ok && fe.Field != test.field) || (!ok && test.field != "") {
				t.Errorf("%v, want it to blame %q", err, test.field)
			}
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("%v, want %q", err, test.want)
			}
		})
	}
}

// TestSharing: targets of one account and region have one client, until the
// last of them is closed.
func TestSharing(t *testing.T) {
	t.Parallel()
	c := new(Clients)
	open := func(region string) *group {
		return build(t, &Config{ScalingGroupID: testGroup, Access: Access{Region: region, Protocol: "https"}, clients: c})
	}
	a, b, other := open(testRegion), open(testRegion), open("cn-beijing")
	if a.account != b.account || a.account == other.account || a.member != b.member {
		t.Error("clients are not shared by account and region")
	}
	if err := errors.Join(a.Close(), a.Close(), other.Close()); err != nil || c.pool.Len() != 1 {
		t.Errorf("%v, %d clients, want the one that is used", err, c.pool.Len())
	}
	if err := b.Close(); err != nil || c.pool.Len() != 0 || b.account.members.Len() != 0 {
		t.Errorf("%v, %d clients after the last user", err, c.pool.Len())
	}
}
