package share_test

import (
	"slices"
	"testing"

	"github.com/alertscaler/alertscaler/scaler/target/share"
)

func TestLeaving(t *testing.T) {
	t.Parallel()
	same := func(s string) string { return s }
	replicas := []string{"a", "b", "c"}
	for _, test := range []struct {
		n             int
		victims, want []string
	}{
		{1, []string{"c"}, []string{"c"}},
		{2, []string{"x", "c"}, []string{"c", "a"}},
		{1, []string{"c", "b"}, []string{"c"}},
		{3, []string{"b"}, []string{"b", "a", "c"}},
		{4, []string{"b"}, nil},
		{1, []string{"x"}, nil},
		{1, nil, nil},
		{0, []string{"a"}, nil},
		{-1, []string{"a"}, nil},
	} {
		if got := share.Leaving(replicas, same, test.n, test.victims); !slices.Equal(got, test.want) {
			t.Errorf("%d of %v, %v first: %v, want %v", test.n, replicas, test.victims, got, test.want)
		}
	}
}
