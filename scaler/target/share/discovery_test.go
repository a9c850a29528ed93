package share_test

import (
	"context"
	"maps"
	"testing"

	"github.com/alertscaler/alertscaler/scaler/target"
	"github.com/alertscaler/alertscaler/scaler/target/share"
)

func TestAsking(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		labels, want map[string]string
		asks         bool
	}{
		{nil, nil, false},
		{map[string]string{"enable": "true", "team": "shop"}, nil, false},
		{map[string]string{"a:min": "1"}, map[string]string{"min": "1"}, false},
		{map[string]string{"a:enable": ""}, map[string]string{"enable": ""}, true},
		{map[string]string{"b.enable": "false"}, map[string]string{"enable": "false"}, true},
		{
			map[string]string{"a:enable": "true", "b.enable": "false", "b.max": "3"},
			map[string]string{"enable": "true", "max": "3"},
			true,
		},
	} {
		got, asks := share.Asking(test.labels, "a:", "b.")
		if asks != test.asks || !maps.Equal(got, test.want) {
			t.Errorf("of %v: %v, %t, want %v, %t", test.labels, got, asks, test.want, test.asks)
		}
	}
}

func TestDiscoverer(t *testing.T) {
	t.Parallel()
	var ended bool
	d := share.NewDiscoverer("client", func() { ended = true }, func(_ context.Context, client string) ([]target.Discovered, error) {
		return []target.Discovered{{Name: "of " + client}}, nil
	})
	if all, err := d.Discover(t.Context()); err != nil || len(all) != 1 || all[0].Name != "of client" || ended {
		t.Errorf("%v, %v; ended: %t", all, err, ended)
	}
	if err := d.(target.Closer).Close(); err != nil || !ended {
		t.Errorf("%v; ended: %t", err, ended)
	}
}
