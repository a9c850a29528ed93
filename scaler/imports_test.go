package scaler_test

import (
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/alertscaler/alertscaler/scaler/realtest"
)

const module = "github.com/alertscaler/alertscaler/"

// pkg is what go list says of a package.
type pkg struct {
	ImportPath string
	Standard   bool
	Imports    []string
	Deps       []string
}

// ban forbids packages to depend on others.
type ban struct {
	// who names packages by path within the module; a trailing /... means
	// those below it too.
	who string
	// whom must not be among their dependencies.
	whom func(path string) bool
	// direct forbids only the import itself, not what comes with others.
	direct bool
	why    string
}

func own(paths ...string) func(string) bool {
	return func(p string) bool {
		return slices.ContainsFunc(paths, func(q string) bool { return matches(p, q) })
	}
}

// matches reports whether an import path is the module's path or below it.
func matches(importPath, path string) bool {
	rel, ok := strings.CutPrefix(importPath, module)
	if !ok {
		return false
	}
	base, below := strings.CutSuffix(path, "/...")
	return rel == base || (below && strings.HasPrefix(rel, base+"/"))
}

// ours matches the product's packages: what stand-ins for other sides share
// among themselves is none of them.
func ours(p string) bool { return own("scaler/...")(p) && p != module+"scaler/target/standin" }

// platforms are the folders of package target, one each.
var platforms = []string{"process", "docker", "kubernetes", "http", "command", "nomad", "ansible", "aws", "gcp", "azure", "aliyun"}

// below names every platform, and what lies below it.
func below(prefix string) []string {
	out := make([]string, len(platforms))
	for i, p := range platforms {
		out[i] = prefix + p + "/..."
	}
	return out
}

// platformBans keep each platform to the target contract and its own calls.
func platformBans() []ban {
	var out []ban
	for _, p := range platforms {
		others := slices.DeleteFunc(below("scaler/target/"), func(o string) bool { return o == "scaler/target/"+p+"/..." })
		out = append(out, ban{
			who:  "scaler/target/" + p + "/...",
			whom: own(append(others, "scaler/policy", "scaler/config", "scaler/ledger", "scaler/alerts", "scaler/usage", "webhook")...),
			why:  "a platform knows the target contract and its own calls, nothing else",
		})
	}
	return out
}

var bans = []ban{
	{
		who: "scaler/policy", direct: true,
		whom: func(p string) bool {
			return strings.Contains(p, ".") && p != module+"scaler/policy/objective" || slices.Contains([]string{"os", "net", "net/http", "io", "log", "log/slog", "context", "sync", "math/rand", "math/rand/v2", "database/sql"}, p)
		},
		why: "the decision is pure: standard library only, and nothing of it that does I/O",
	},
	{
		who: "scaler/action", direct: true,
		whom: func(p string) bool {
			return strings.Contains(p, ".") && p != module+"scaler/policy" || slices.Contains([]string{"os", "net", "net/http", "io", "log", "log/slog", "context", "sync", "math/rand", "math/rand/v2", "database/sql"}, p)
		},
		why: "what becomes of a decision is as pure as the decision: it knows policies, and no engine, ledger or platform",
	},
	{
		who: "scaler/target/kubernetes", whom: func(p string) bool {
			return strings.HasPrefix(p, "k8s.io/api/") || strings.HasPrefix(p, "k8s.io/client-go/kubernetes")
		},
		why: "the typed clients, and whatever imports them, bring every type of Kubernetes into the program: 16 MB",
	},
	{
		who: "scaler/target/nomad/nomadtest", whom: func(p string) bool {
			return ours(p) || strings.HasPrefix(p, "github.com/hashicorp/")
		},
		why: "the other side is written from the published API, and knows neither our code nor the client",
	},
	{
		who: "scaler/target/aws/awstest", whom: func(p string) bool {
			return ours(p) || strings.HasPrefix(p, "github.com/aws/")
		},
		why: "the other side is written from the published protocols, and knows neither our code nor the SDK",
	},
	{
		who: "scaler/target/aws", whom: func(p string) bool {
			return strings.HasPrefix(p, "github.com/aws/aws-sdk-go-v2/service/ec2")
		},
		why: "the types of EC2 are many megabytes, and nothing that is scaled needs them",
	},
	{
		who: "scaler/target/gcp/gcptest", whom: func(p string) bool {
			return ours(p) || strings.HasPrefix(p, "google.golang.org/") || strings.HasPrefix(p, "cloud.google.com/")
		},
		why: "the other side is written from the published API, and knows neither our code nor the client",
	},
	{
		who: "scaler/target/azure/azuretest", whom: func(p string) bool {
			return ours(p) || strings.HasPrefix(p, "github.com/Azure")
		},
		why: "the other side is written from the published API, and knows neither our code nor the client",
	},
	{
		who: "scaler/target/aliyun/aliyuntest", whom: func(p string) bool {
			return ours(p) || strings.HasPrefix(p, "github.com/alibabacloud-go/") || strings.HasPrefix(p, "github.com/aliyun/")
		},
		why: "the other side is written from the published API, and knows neither our code nor the SDK",
	},
	{
		who: "scaler/target/ansible/awxtest", whom: ours,
		why: "the other side is written from the published API, and does not know our code",
	},
	{
		who: "scaler/target/standin", whom: own("scaler/...", "webhook/...", "cmd/..."),
		why: "what stands in for other sides shares nothing with ours, mistakes included",
	},
	{
		who: "scaler/target", whom: own("scaler/policy", "scaler/config", "scaler/target/...", "webhook"),
		why: "the contract stands below everything that implements or uses it",
	},
	{
		who: "scaler/yamlfile", whom: own("scaler/...", "webhook/..."),
		why: "where something stands in a file depends on nothing that it means",
	},
	{
		who: "scaler/thresholds", whom: own("scaler", "scaler/ledger", "scaler/alerts", "scaler/usage", "scaler/simulate/...", "scaler/target/install"),
		why: "what alerts must know stands in the configuration, and no engine is needed for it",
	},
	{
		who: "scaler/window", whom: own("scaler/...", "webhook/..."),
		why: "when a window holds depends on a cron expression and a time zone alone",
	},
	{
		who: "scaler/simulate/plant", direct: true,
		whom: func(p string) bool { return strings.Contains(p, ".") },
		why:  "the plant knows nobody who is tried on it, and needs the standard library alone",
	},
	{
		who: "webhook/...", whom: own("scaler", "scaler/config", "scaler/discovery", "scaler/ledger", "scaler/usage", "scaler/target/..."),
		why: "the HTTP face declares the small interfaces it needs; cmd joins them",
	},
	{
		who: "scaler/...", whom: own("webhook/...", "cmd/..."),
		why: "imports run downward only",
	},
	{
		who: "scaler/config", direct: true, whom: own(append(below("scaler/target/"), "scaler", "scaler/target/install")...),
		why: "configuration knows platforms by the registry it is given",
	},
	{
		who: "scaler/...", whom: func(p string) bool { return strings.HasPrefix(p, "github.com/alecthomas/kingpin") },
		why: "flags belong to cmd",
	},
	{
		who: "webhook/...", whom: func(p string) bool { return strings.HasPrefix(p, "github.com/alecthomas/kingpin") },
		why: "flags belong to cmd",
	},
	{
		who: "cmd/...", whom: own("scaler/realtest", "scaler/target/targettest/...", "scaler/target/standin", "scaler/target/ansible/awxtest", "scaler/target/nomad/nomadtest", "scaler/target/aws/awstest", "scaler/target/gcp/gcptest", "scaler/target/azure/azuretest", "scaler/target/aliyun/aliyuntest"),
		why: "test parts stay out of the programs",
	},
	{
		who: "scaler/ledger", whom: own("scaler", "scaler/config", "scaler/usage", "scaler/target/..."),
		why: "the ledger keeps values of policy and alerts and knows no engine",
	},
	{
		who: "scaler/simulate", whom: own(append(below("scaler/target/"), "scaler/target/install")...),
		why: "the simulator is the engine without any platform; whoever runs it says which ones a file may name",
	},
	{
		who: "scaler/victims", whom: own(append(below("scaler/target/"), "scaler", "scaler/ledger", "scaler/usage", "scaler/alerts", "scaler/target/install")...),
		why: "whoever chooses which replicas go knows what a target can do, and neither platform nor engine",
	},
	{
		who: "scaler", whom: own("scaler/simulate", "scaler/target/install"),
		why: "the engine does not know who turns its clock",
	},
	{
		who: "scaler/discovery", whom: own(append(below("scaler/target/"), "scaler", "scaler/target/install")...),
		why: "discovery makes configuration, knows platforms by it, and no engine",
	},
	{
		who: "scaler/export", whom: own(append(below("scaler/target/"), "scaler", "scaler/ledger", "scaler/alerts")...),
		why: "what is shown to Prometheus is given as plain values, by an engine that is not known here",
	},
	{
		who: "scaler/budget", whom: own("scaler", "scaler/config", "scaler/ledger", "scaler/alerts", "scaler/usage", "scaler/target/..."),
		why: "what policies share is counted from their decisions; whom it concerns is told, and woken by others",
	},
	{
		who: "scaler/learning", whom: own("scaler", "scaler/config", "scaler/ledger", "scaler/alerts", "scaler/target/..."),
		why: "what is learnt is written by the engine, which is not known here",
	},
	{
		who: "scaler/status", direct: true, whom: func(p string) bool { return strings.Contains(p, ".") && p != module+"scaler/policy" },
		why: "what the API shows is read by programs that know no engine",
	},
	{
		who: "scaler/alerts", whom: own("scaler", "scaler/config", "scaler/ledger", "scaler/usage", "scaler/target/..."),
		why: "the book knows alerts and nothing of what comes of them",
	},
}

// TestWhoMayImportWhom keeps the house: see who and why in bans.
func TestWhoMayImportWhom(t *testing.T) {
	packages := list(t)
	for _, b := range slices.Concat(bans, platformBans()) {
		found := false
		for _, p := range packages {
			if !matches(p.ImportPath, b.who) {
				continue
			}
			found = true
			deps := p.Deps
			if b.direct {
				deps = p.Imports
			}
			for _, d := range deps {
				if b.whom(d) && d != p.ImportPath {
					t.Errorf("%s depends on %s: %s", p.ImportPath, d, b.why)
				}
			}
		}
		if !found {
			t.Errorf("no package is %s: the ban keeps nothing", b.who)
		}
	}
}

// list describes the module's own packages.
func list(t *testing.T) []pkg {
	t.Helper()
	cmd := exec.Command("go", "list", "-deps", "-json=ImportPath,Standard,Imports,Deps", module+"...")
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list: %s", err)
	}
	var packages []pkg
	dec := json.NewDecoder(strings.NewReader(string(out)))
	for {
		var p pkg
		if err := dec.Decode(&p); errors.Is(err, io.EOF) {
			return packages
		} else if err != nil {
			t.Fatal(err)
		}
		if strings.HasPrefix(p.ImportPath, module) {
			packages = append(packages, p)
		}
	}
}

// TestNoDefaultRegisterer: metrics go to the registry that main made.
func TestNoDefaultRegisterer(t *testing.T) {
	out, err := exec.Command("git", "grep", "-lE", `prometheus\.(DefaultRegisterer|DefaultGatherer|MustRegister)|promhttp\.Handler\(\)|func init\(\)`, "--", "../*.go").CombinedOutput()
	if len(out) > 0 {
		t.Errorf("these use a global registry or an init function:\n%s", out)
	}
	var exit *exec.ExitError
	if err != nil && (!errors.As(err, &exit) || exit.ExitCode() != 1) {
		realtest.SkipOrFail(t, "needs git and a checkout: %s", err)
	}
}
