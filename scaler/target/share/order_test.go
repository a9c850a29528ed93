package share_test

import (
	"slices"
	"testing"

	"github.com/alertscaler/alertscaler/scaler/target/share"
)

func TestFalseFirst(t *testing.T) {
	t.Parallel()
	got := []bool{true, false, true, false, false}
	slices.SortFunc(got, share.FalseFirst)
	if want := []bool{false, false, false, true, true}; !slices.Equal(got, want) {
		t.Errorf("sorted: %v, want %v", got, want)
	}
}
