package config_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/alertscaler/alertscaler/scaler/config"
	"github.com/alertscaler/alertscaler/scaler/target/install"
)

// FuzzLoad: nothing panics, and what loads renders to what loads again and
// renders the same.
func FuzzLoad(f *testing.F) {
	files, err := filepath.Glob("testdata/*.yml")
	if err != nil || len(files) == 0 {
		f.Fatalf("no fixtures: %v", err)
	}
	for _, file := range files {
		b, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		c, err := config.Load("fuzz.yml", b, install.Registry())
		if err != nil {
			if err.Error() == "" {
				t.Error("refused without a word")
			}
			return
		}
		for _, p := range c.Policies {
			c.Rules(p)
		}
		c.BudgetRules()
		text := c.String()
		again, err := config.Load("fuzz.yml", []byte(text), install.Registry())
		if err != nil {
			t.Fatalf("what was rendered does not load: %s\n%s", err, text)
		}
		if got := again.String(); got != text {
			t.Errorf("rendered once:\n%s\nrendered twice:\n%s", text, got)
		}
	})
}
