package export

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestMetricsOfPoliciesAreInTheReadmes: also those that only some policies have.
func TestMetricsOfPoliciesAreInTheReadmes(t *testing.T) {
	for _, file := range []string{"README.md", "README.zh-CN.md"} {
		readme, err := os.ReadFile(filepath.Join("..", "..", file))
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range descriptions() {
			name, _, _ := strings.Cut(strings.TrimPrefix(d.String(), `Desc{fqName: "`), `"`)
			if !strings.HasPrefix(name, "alertscaler_") || !strings.Contains(string(readme), "`"+name+"`") {
				t.Errorf("%s does not list %s", file, name)
			}
		}
	}
}

// TestEveryMetricIsDescribed: whatever a scrape gives was announced.
func TestEveryMetricIsDescribed(t *testing.T) {
	announced := make(map[string]bool)
	for _, d := range descriptions() {
		if announced[d.String()] {
			t.Errorf("%s is announced twice", d)
		}
		announced[d.String()] = true
	}
	// A registry refuses to gather what was not.
	values(t, collectorOf(web()))
}
