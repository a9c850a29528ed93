package main_test

import (
	"encoding/pem"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/alertscaler/alertscaler/scaler/ledger"
	"github.com/alertscaler/alertscaler/scaler/realtest"
	"github.com/alertscaler/alertscaler/scaler/target/aliyun/aliyuntest"
	"github.com/alertscaler/alertscaler/scaler/target/aws/awstest"
	"github.com/alertscaler/alertscaler/scaler/target/azure/azuretest"
	"github.com/alertscaler/alertscaler/scaler/target/gcp/gcptest"
)

// How the clouds of these tests behave: an instance takes a while to boot, and
// what was asked for shows a while after it was accepted.
const (
	cloudBoot = 1500 * time.Millisecond
	cloudLag  = time.Second
)

// cloud is a target on a cloud's side of the wire, of two instances and at most
// ten.
type cloud struct {
	// target is its configuration.
	target string
	// env has the credentials that are not in it.
	env []string
	// asked are the numbers that authorized requests asked for, the oldest
	// first.
	asked func() []int
}

// clouds are the platforms of clouds, each with the least of a world around it.
var clouds = map[string]func(*testing.T) cloud{
	"aws_asg": func(t *testing.T) cloud {
		s, conn := startAWS(t)
		s.AddGroup(awstest.Group{Name: "web", Max: 10, Desired: 2, Boot: cloudBoot, Stop: cloudBoot})
		return cloud{
			target: "aws_asg: { name: web, " + conn + " }", env: awsKeys,
			asked: func() []int { return askedOfGroup(s, "web") },
		}
	},
	"aws_ecs": func(t *testing.T) cloud {
		s, conn := startAWS(t)
		s.AddService(awstest.Service{Cluster: "shop", Name: "web", Desired: 2, Start: cloudBoot})
		return cloud{
			target: "aws_ecs: { cluster: shop, service: web, " + conn + " }", env: awsKeys,
			asked: func() (out []int) {
				for _, c := range s.Calls("UpdateService") {
					n, _ := c.Body["desiredCount"].(float64)
					out = append(out, int(n))
				}
				return out
			},
		}
	},
	"gcp_mig": func(t *testing.T) cloud {
		s, where := startGoogle(t)
		s.Create(gcptest.Group{Project: "shop", Zone: "europe-west1-b", Name: "web", Size: 2, Boot: cloudBoot, Stop: cloudBoot})
		return cloud{
			target: "gcp_mig: { name: web, " + where + " }",
			asked:  func() []int { return s.Asked("europe-west1-b", "web") },
		}
	},
	"azure_vmss": func(t *testing.T) cloud {
		s := azuretest.New()
		t.Cleanup(s.Close)
		s.Lag = cloudLag
		s.Put(azuretest.Set{Group: "shop", Name: "web", Capacity: 2, Boot: cloudBoot, Stop: cloudBoot})
		roots := filepath.Join(t.TempDir(), "roots.pem")
		certificate := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.Certificate().Raw})
		if err := os.WriteFile(roots, certificate, 0o600); err != nil {
			t.Fatal(err)
		}
		return cloud{
			target: fmt.Sprintf(`azure_vmss: { resource_group: shop, name: web, endpoint: %q, authority: %[1]q }`, s.URL()),
			env: []string{
				"SSL_CERT_FILE=" + roots, "AZURE_SUBSCRIPTION_ID=" + azuretest.Subscription,
				"AZURE_TENANT_ID=" + azuretest.Tenant, "AZURE_CLIENT_ID=" + azuretest.Client, "AZURE_CLIENT_SECRET=" + azuretest.Secret,
			},
			asked: func() []int { return s.Asked("shop", "web") },
		}
	},
	"aliyun_ess": func(t *testing.T) cloud {
		var mu sync.Mutex // guards asked
		var asked []int
		s := &aliyuntest.Server{
			Users: map[string]aliyuntest.User{"LTAI1": {Secret: "secret-1"}},
			Fault: func(action string, form map[string]string) *aliyuntest.Error {
				if action == "ModifyScalingGroup" {
					n, err := strconv.Atoi(form["DesiredCapacity"])
					if err != nil {
						t.Error(err)
					}
					mu.Lock()
					defer mu.Unlock()
					asked = append(asked, n)
				}
				return nil
			},
		}
		s.Add(aliyuntest.Group{
			ID: "asg-bp1", Name: "web", Region: "cn-hangzhou", Expected: true, Max: 10, Count: 2,
			Boot: cloudBoot, Stop: cloudBoot, Lag: cloudLag,
		})
		host := strings.TrimPrefix(listen(t, s), "http://")
		return cloud{
			target: fmt.Sprintf("aliyun_ess: { scaling_group_id: asg-bp1, region: cn-hangzhou, endpoint: %q, protocol: http }", host),
			env:    []string{"ALIBABA_CLOUD_ACCESS_KEY_ID=LTAI1", "ALIBABA_CLOUD_ACCESS_KEY_SECRET=secret-1"},
			asked: func() []int {
				mu.Lock()
				defer mu.Unlock()
				return slices.Clone(asked)
			},
		}
	},
}

// awsKeys are the credentials of awstest's user, and nothing of the host's own.
var awsKeys = []string{
	"AWS_ACCESS_KEY_ID=AKIAGOOD", "AWS_SECRET_ACCESS_KEY=good-secret", "AWS_EC2_METADATA_DISABLED=true",
	"AWS_CONFIG_FILE=" + os.DevNull, "AWS_SHARED_CREDENTIALS_FILE=" + os.DevNull,
}

// startAWS serves a region, and returns what a target says of where that is.
func startAWS(t *testing.T) (*awstest.Server, string) {
	t.Helper()
	s := awstest.New("eu-central-1")
	s.Lag = cloudLag
	return s, fmt.Sprintf("region: eu-central-1, endpoint: %q", listen(t, s))
}

func askedOfGroup(s *awstest.Server, name string) (out []int) {
	for _, c := range s.Calls("SetDesiredCapacity") {
		if c.Form.Get("AutoScalingGroupName") == name {
			n, _ := strconv.Atoi(c.Form.Get("DesiredCapacity"))
			out = append(out, n)
		}
	}
	return out
}

// startGoogle serves Google with a service account, and returns what a target
// says of both.
func startGoogle(t *testing.T) (*gcptest.Server, string) {
	t.Helper()
	s := &gcptest.Server{OperationTime: 500 * time.Millisecond, Lag: cloudLag}
	url := listen(t, s)
	b, err := s.KeyFile(url, "alertscaler@shop.iam.gserviceaccount.com")
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "key.json")
	if err := os.WriteFile(file, b, 0o600); err != nil {
		t.Fatal(err)
	}
	return s, fmt.Sprintf("project: shop, zone: europe-west1-b, credentials_file: %q, endpoint: %q", file, url)
}

func listen(t *testing.T, h http.Handler) string {
	t.Helper()
	s := httptest.NewServer(h)
	t.Cleanup(func() {
		s.CloseClientConnections()
		s.Close()
	})
	return s.URL
}

// TestClouds is the whole loop for each cloud: Prometheus sees the load rise
// and fall and fires, Alertmanager delivers, the cloud is asked for the number
// that the load needs, once each way however late it shows that, and what was
// asked for comes to be ready.
func TestClouds(t *testing.T) {
	t.Parallel()
	load := &loads{label: "scale_target"}
	reg := prometheus.NewRegistry()
	reg.MustRegister(load)
	exporter := listen(t, promhttp.HandlerFor(reg, promhttp.HandlerOpts{}))

	ports := make(map[string]int)
	var routes, receivers strings.Builder
	for name := range clouds {
		ports[name] = realtest.FreePort(t)
		load.add(name, 8)
		fmt.Fprintf(&routes, "    - { matchers: ['scale_target=%q'], receiver: %[1]s }\n", name)
		fmt.Fprintf(&receivers, "  - { name: %s, webhook_configs: [ { url: 'http://127.0.0.1:%d/webhook' } ] }\n", name, ports[name])
	}
	am := realtest.StartAlertmanager(t, realtest.AlertmanagerOptions{Config: fmt.Sprintf(`
route:
  receiver: nobody
  group_by: [scale_target, scale]
  group_wait: 0s
  group_interval: 1s
  routes:
%sreceivers:
  - name: nobody
%s`, &routes, &receivers)})
	prom := realtest.StartPrometheus(t, realtest.PrometheusOptions{
		Files: map[string]string{"load.yml": `
groups:
  - name: load
    interval: 1s
    rules:
      - { alert: ScaleUp, expr: requests_in_flight > 18, labels: { scale: up } }
      - { alert: ScaleDown, expr: requests_in_flight < 12, labels: { scale: down } }
`},
		Config: fmt.Sprintf(`
global: { scrape_interval: 1s }
rule_files: [load.yml]
alerting: { alertmanagers: [ { static_configs: [ { targets: ["%s"] } ] } ] }
scrape_configs: [ { job_name: load, metrics_path: /, honor_labels: true, static_configs: [ { targets: ["%s"] } ] } ]
`, hostOf(am.URL), hostOf(exporter)),
	})

	for name, start := range clouds {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := start(t)
			s := startServerBy(t, append([]string{"env"}, c.env...), ports[name], fmt.Sprintf(`
global: { evaluation_interval: 500ms }
prometheus: { url: %s }
alertmanager: { url: %s, resync_interval: 2s }
policies:
  - name: web
    scale_target: %s
    min: 2
    max: 8
    resources:
      - { name: requests, usage: 'requests_in_flight{scale_target="%[3]s"}', capacity_per_replica: 10, reservation: { ratio: 0.2 } }
    scale_up: { step: { replicas: 8, per: 1s } }
    scale_down: { stabilization: 2s, cooldown: 1s, step: { replicas: 8, per: 1s } }
    targets:
      - name: cloud
        %s
`, prom.URL, am.URL, name, c.target))
			s.eventually(time.Minute, "two replicas at the start", "web", replicas(2))
			if got := c.asked(); len(got) != 0 {
				t.Errorf("the cloud was asked for %v before anything happened", got)
			}

			// With a fifth free 32 need 40, at 10 a replica.
			load.add(name, 32)
			s.eventually(2*time.Minute, "the load scales up", "web", replicas(4))
			t.Logf("up: %s", s.policy("web").Explanation)
			load.add(name, 8)
			s.eventually(2*time.Minute, "less of it scales down", "web", replicas(2))

			if diff := cmp.Diff([]int{4, 2}, c.asked()); diff != "" {
				t.Errorf("what the cloud was asked for (-want +got):\n%s", diff)
			}
			for _, series := range []string{
				`alertscaler_target_replicas{kind="requested",policy="web",target="cloud"} 2`,
				`alertscaler_target_replicas{kind="ready",policy="web",target="cloud"} 2`,
				`alertscaler_actions_total{direction="up",policy="web",target="cloud"} 1`,
				`alertscaler_actions_total{direction="down",policy="web",target="cloud"} 1`,
				`alertscaler_provisioning_duration_seconds_count{policy="web",target="cloud"} 1`,
			} {
				name, want, _ := strings.Cut(series, " ")
				realtest.Eventually(t, 30*time.Second, 200*time.Millisecond, series, func() error {
					if got := s.metric(name); got != want {
						return fmt.Errorf("it is %s", got)
					}
					return nil
				})
			}
			as := s.actions("web")
			if len(as) != 2 || as[0].State != ledger.Converged || as[1].State != ledger.Converged {
				t.Errorf("the ledger has %+v, want one move up and one down, both converged", as)
			}
		})
	}
}

// add sets the load of one more, or another load of it.
func (l *loads) add(name string, load float64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.of == nil {
		l.of = make(map[string]float64)
	}
	l.of[name] = load
}
