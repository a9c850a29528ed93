package house_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/alertscaler/alertscaler/examples/internal/house"
)

// TestMissingTool: what this machine lacks is a status of its own.
func TestMissingTool(t *testing.T) {
	t.Chdir("../../..")
	t.Setenv("PATH", t.TempDir())
	t.Setenv("PROMETHEUS", "")
	status := house.Run(house.Options{Name: "big-data"}, func(context.Context, *house.House) error {
		t.Error("the story was told without Prometheus")
		return nil
	})
	if status != house.ExitMissing {
		t.Errorf("status %d, want %d", status, house.ExitMissing)
	}
}

// TestUnknownExample: an example that is not there cannot be run.
func TestUnknownExample(t *testing.T) {
	t.Chdir("../../..")
	if status := house.Run(house.Options{Name: "no-such"}, nil); status != house.ExitFailed {
		t.Errorf("status %d, want %d", status, house.ExitFailed)
	}
}

// TestLoadGoesOnWhereAReplicaIsGone, and counts what no replica served.
func TestLoadGoesOnWhereAReplicaIsGone(t *testing.T) {
	var paths atomic.Int64
	alive := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/hello" {
			paths.Add(1)
		}
	}))
	defer alive.Close()
	gone := httptest.NewServer(http.NotFoundHandler())
	gone.Close()

	var none atomic.Bool
	load := house.NewLoad(func(context.Context) ([]string, error) {
		if none.Load() {
			return nil, nil
		}
		return []string{strings.TrimPrefix(gone.URL, "http://"), strings.TrimPrefix(alive.URL, "http://")}, nil
	})
	load.SetPath(func() string { return "/hello" })
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		load.Run(ctx)
	}()
	// Nothing is known of the replicas at first, so it begins without requests.
	eventually(t, func() error {
		load.SetRate(100)
		if load.Served() < 20 {
			return errors.New("few requests are served")
		}
		return nil
	})
	if paths.Load() == 0 {
		t.Error("no request asked for the path")
	}
	none.Store(true)
	failed := load.Failed()
	eventually(t, func() error {
		if load.Failed() == failed {
			return errors.New("without replicas no request fails")
		}
		return nil
	})
	cancel()
	<-ended
}

func eventually(t *testing.T, check func() error) {
	t.Helper()
	deadline := time.Now().Add(30 * time.Second)
	for {
		err := check()
		if err == nil {
			return
		}
		if time.Now().After(deadline) {
			t.Fatal(err)
		}
		time.Sleep(20 * time.Millisecond)
	}
}
