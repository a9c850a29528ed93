package policy_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"testing"

	"github.com/alertscaler/alertscaler/scaler/policy"
)

// TestHistoryChangesThroughItsMethodsAlone: who remembers for a policy calls
// what says so, and sets no field.
func TestHistoryChangesThroughItsMethodsAlone(t *testing.T) {
	var fields []string
	for _, f := range reflect.VisibleFields(reflect.TypeFor[policy.History]()) {
		fields = append(fields, f.Name)
	}
	field := `\b(history|h)\.(` + strings.Join(fields, "|") + `)\b`
	sets := regexp.MustCompile(`\b(delete|clear)\([\w.]*` + field + `|` + field + `(\[[^\]]*\])?(\.\w+)*\s*([-+]?=[^=]|\+\+|--)`)
	for line, want := range map[string]bool{
		"u.history.FleetHold = o.FleetHold":    true,
		"delete(h.Learning, resource)":         true,
		"h.Learning[name] = append(s, sample)": true,
		"if h.Config == fingerprint {":         false,
		"was := h.Config":                      false,
	} {
		if got := sets.MatchString(line); got != want {
			t.Errorf("%s: %t, want %t", line, got, want)
		}
	}
	seen := 0
	err := filepath.WalkDir("..", func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && d.Name() == "policy":
			return fs.SkipDir
		case !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go"):
			return nil
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		if !strings.Contains(string(text), "policy.History") && !strings.Contains(string(text), ".history.") {
			return nil
		}
		seen++
		for i, line := range strings.Split(string(text), "\n") {
			if sets.MatchString(line) {
				t.Errorf("%s:%d sets a field of a history: %s", path, i+1, strings.TrimSpace(line))
			}
		}
		return nil
	})
	if err != nil || seen < 5 {
		t.Errorf("looked at %d files, %v", seen, err)
	}
}
