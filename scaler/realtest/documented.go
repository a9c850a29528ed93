package realtest

import (
	"os"
	"strings"
	"testing"
)

// Documented returns the first block of YAML below a heading of a page, so that
// tests run what is written.
func Documented(t testing.TB, page, heading string) string {
	t.Helper()
	text, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	_, below, found := strings.Cut(string(text), heading+"\n")
	_, block, begins := strings.Cut(below, "```yaml\n")
	block, _, ends := strings.Cut(block, "```")
	if !found || !begins || !ends {
		t.Fatalf("%s has no block of YAML below %q", page, heading)
	}
	return block
}
