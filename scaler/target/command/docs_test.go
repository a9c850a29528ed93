package command

import (
	"os"
	"path/filepath"
	"regexp"
	"testing"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/alertscaler/alertscaler/scaler/target"
	"github.com/alertscaler/alertscaler/scaler/target/targettest"
)

// TestDocumentedExample holds the example of docs/command.md to all that a
// target promises.
func TestDocumentedExample(t *testing.T) {
	t.Parallel()
	doc, err := os.ReadFile("../../../docs/command.md")
	if err != nil {
		t.Fatal(err)
	}
	files := regexp.MustCompile("(?s)`([a-z.]+)`[^`]*```[a-z]+\n(.*?)```").FindAllSubmatch(doc, 3)
	if len(files) != 3 || string(files[0][1]) != "alertscaler.yml" {
		t.Fatalf("%d files in the example, want 3, alertscaler.yml first", len(files))
	}
	build := func(t *testing.T) target.Target {
		dir := t.TempDir()
		for _, f := range files {
			write(t, filepath.Join(dir, string(f[1])), string(f[2]))
		}
		if err := os.Mkdir(filepath.Join(dir, "pool.d"), 0o755); err != nil {
			t.Fatal(err)
		}
		var c struct {
			Policies []struct {
				Targets []struct{ Command *Config }
			}
		}
		if err := yaml.Unmarshal(files[0][2], &c); err != nil {
			t.Fatal(err)
		}
		cfg := c.Policies[0].Targets[0].Command
		cfg.SetDirectory(dir)
		if err := cfg.Validate(); err != nil {
			t.Fatal(err)
		}
		tgt, err := cfg.New(target.Options{Policy: "web", Name: "pool"})
		if err != nil {
			t.Fatal(err)
		}
		return tgt
	}
	targettest.Run(t, targettest.Harness{
		New:         build,
		Limited:     func(t *testing.T) (target.Target, int) { return build(t), 20 },
		Converge:    30 * time.Second,
		CallTimeout: 30 * time.Second,
	})
}
