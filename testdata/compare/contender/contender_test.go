package contender_test

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/alertscaler/alertscaler/testdata/compare/contender"
)

func TestNamesAreUniqueAndDefaultsAreTried(t *testing.T) {
	all := contender.All()
	for i, c := range all {
		if found, err := contender.Named(all, c.Name); err != nil || found != &all[i] {
			t.Errorf("%s is not found by its name: %v", c.Name, err)
		}
		if c.Default != (contender.Setting{}) && !slices.Contains(c.Settings, c.Default) {
			t.Errorf("%s: its default %v is not among %v", c.Name, c.Default, c.Settings)
		}
	}
}

func TestGrid(t *testing.T) {
	if diff := cmp.Diff([]float64{0.05, 0.1, 0.15, 0.2}, contender.Grid(0.05, 0.2, 0.05)); diff != "" {
		t.Errorf("grid differs (-want +got):\n%s", diff)
	}
	if n := len(contender.Grid(0.05, 0.95, 0.01)); n != 91 {
		t.Errorf("%d settings from 5 to 95 %%", n)
	}
}
