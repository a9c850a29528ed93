package simulate_test

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/alertscaler/alertscaler/scaler/simulate"
	"github.com/alertscaler/alertscaler/scaler/target/install"
)

// stories are all files of testdata/policies.
func stories(t testing.TB) []string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join("..", "..", "testdata", "policies", "*.yml"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no stories: %v", err)
	}
	return files
}

// TestStories runs every story as scalertool test does.
func TestStories(t *testing.T) {
	for _, file := range stories(t) {
		t.Run(filepath.Base(file), func(t *testing.T) {
			var out strings.Builder
			if err := simulate.TestFiles(t.Context(), &out, []string{file}, nil, install.Registry()); err != nil {
				t.Errorf("%s\n%s", err, out.String())
			}
		})
	}
}
