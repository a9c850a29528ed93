package install

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"

	"go.yaml.in/yaml/v3"

	"github.com/alertscaler/alertscaler/scaler/target"
	"github.com/alertscaler/alertscaler/scaler/target/aws/awstest"
	"github.com/alertscaler/alertscaler/scaler/target/gcp/gcptest"
)

func write(t *testing.T, file string, content []byte) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, content, 0o600); err != nil {
		t.Fatal(err)
	}
}

func decoded(t *testing.T, r *target.Registry, platform, text string) target.Config {
	t.Helper()
	cfg, err := r.New(platform)
	if err != nil {
		t.Fatal(err)
	}
	if err := yaml.Unmarshal([]byte(text), cfg); err != nil {
		t.Fatal(err)
	}
	if d, ok := cfg.(interface{ SetDirectory(string) }); ok {
		d.SetDirectory(t.TempDir())
	}
	return cfg
}

func sum(t *testing.T, cfg target.Config) string {
	t.Helper()
	f, ok := cfg.(target.Files)
	if !ok {
		t.Fatalf("%s does not say what is in the files that it names, so that a reload leaves it as it is", cfg.Platform())
	}
	return f.FilesSum()
}

// TestCredentialsReplacedOnDisk: a target that is built again after the file
// has new credentials uses these, though others still use the old ones.
func TestCredentialsReplacedOnDisk(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("HOME", dir)
	for _, name := range []string{"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE", "AWS_CONFIG_FILE", "GOOGLE_APPLICATION_CREDENTIALS", "ALIBABA_CLOUD_CREDENTIALS_FILE", "ALIBABA_CLOUD_CONFIG_FILE"} {
		t.Setenv(name, "")
	}
	t.Setenv("AWS_EC2_METADATA_DISABLED", "true")
	shared := filepath.Join(dir, "shared")
	t.Setenv("AWS_SHARED_CREDENTIALS_FILE", shared)
	key := func(secret string) []byte {
		return fmt.Appendf(nil, "[default]\naws_access_key_id = AKIAGOOD\naws_secret_access_key = %s\n", secret)
	}
	amazon := awstest.New("eu-central-1")
	amazon.AddGroup(awstest.Group{Name: "web", Min: 0, Max: 9, Desired: 2})
	amazonURL := served(t, amazon)

	google := &gcptest.Server{}
	google.Create(gcptest.Group{Project: "shop", Zone: "europe-west1-b", Name: "web", Size: 2})
	googleURL := served(t, google)
	file := filepath.Join(dir, "key.json")
	good, err := google.KeyFile(googleURL, "alertscaler@shop.iam.gserviceaccount.com")
	if err != nil {
		t.Fatal(err)
	}
	// The key of another project, whose authority knows nobody.
	bad, err := google.KeyFile(served(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		http.Error(w, `{"error": "invalid_grant"}`, http.StatusBadRequest)
	})), "alertscaler@shop.iam.gserviceaccount.com")
	if err != nil {
		t.Fatal(err)
	}

	for _, test := range []struct {
		platform, text, file string
		old, new             []byte
	}{
		{"aws_asg", "{ name: web, region: eu-central-1, endpoint: " + amazonURL + " }", shared, key("replaced"), key("good-secret")},
		{"gcp_mig", "{ project: shop, zone: europe-west1-b, name: web, endpoint: " + googleURL + ", credentials_file: " + file + " }", file, bad, good},
	} {
		t.Run(test.platform, func(t *testing.T) {
			r := Registry()
			write(t, test.file, test.old)
			cfg := decoded(t, r, test.platform, test.text)
			before := sum(t, cfg)
			if before != sum(t, cfg) {
				t.Error("the same content has two sums")
			}
			first, err := cfg.New(target.Options{Policy: "web", Name: "a"})
			if err != nil {
				t.Fatal(err)
			}
			if _, err := first.Current(t.Context()); target.KindOf(err) != target.KindUnauthorized {
				t.Fatalf("with the old credentials: %v (%s)", err, target.KindOf(err))
			}
			write(t, test.file, test.new)
			if sum(t, cfg) == before {
				t.Error("another content has the same sum")
			}
			second, err := cfg.New(target.Options{Policy: "web", Name: "a"})
			if err != nil {
				t.Fatal(err)
			}
			if st, err := second.Current(t.Context()); err != nil || st.Requested != 2 {
				t.Errorf("with the new credentials: %+v, %v", st, err)
			}
			for _, tgt := range []target.Target{first, second} {
				if c, ok := tgt.(target.Closer); ok {
					if err := c.Close(); err != nil {
						t.Error(err)
					}
				}
			}
		})
	}

	// Of the others it is the sum that a reload goes by.
	for _, test := range []struct{ platform, text, file string }{
		{"aws_ecs", "{ service: web, region: eu-central-1 }", shared},
		{"aws_ecs", "{ service: web, region: eu-central-1 }", filepath.Join(dir, ".aws", "config")},
		{"gcp_mig", "{ project: shop, zone: europe-west1-b, name: web }", filepath.Join(dir, ".config", "gcloud", "application_default_credentials.json")},
		{"azure_vmss", "{ resource_group: shop, name: web, client_secret_file: " + file + " }", file},
		{"aliyun_ess", "{ scaling_group_id: asg-1, region: cn-hangzhou }", filepath.Join(dir, ".alibabacloud", "credentials")},
		{"aliyun_ess", "{ scaling_group_id: asg-1, region: cn-hangzhou }", filepath.Join(dir, ".aliyun", "config.json")},
	} {
		cfg := decoded(t, Registry(), test.platform, test.text)
		write(t, test.file, []byte("one"))
		before := sum(t, cfg)
		write(t, test.file, []byte("two"))
		if sum(t, cfg) == before {
			t.Errorf("%s: a change of %s is none", test.platform, test.file)
		}
	}
	for _, name := range Registry().DiscoveryNames() {
		cfg, err := Registry().NewDiscovery(name)
		if err != nil {
			t.Fatal(err)
		}
		if _, ok := cfg.(target.Files); !ok {
			t.Errorf("discovery %s does not say what is in the files that it names", name)
		}
	}
}

func served(t *testing.T, h http.Handler) string {
	srv := httptest.NewServer(h)
	t.Cleanup(srv.Close)
	return srv.URL
}
