package target

import (
	"slices"
	"strings"
	"testing"
)

func TestVictimsFirst(t *testing.T) {
	t.Parallel()
	same := func(s string) string { return s }
	for victims, want := range map[string]string{
		"":        "a b c d",
		"c a":     "c a b d",
		"c c x a": "c a b d",
		"d c b a": "d c b a",
	} {
		replicas := []string{"a", "b", "c", "d"}
		if got := strings.Join(VictimsFirst(replicas, same, strings.Fields(victims)), " "); got != want {
			t.Errorf("victims %q: %s, want %s", victims, got, want)
		}
		if !slices.Equal(replicas, []string{"a", "b", "c", "d"}) {
			t.Fatalf("victims %q changed the list that was given: %v", victims, replicas)
		}
	}
}
