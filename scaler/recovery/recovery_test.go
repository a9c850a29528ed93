package recovery_test

import (
	"bytes"
	"errors"
	"strings"
	"sync"
	"testing"

	"github.com/go-kit/log"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/alertscaler/alertscaler/scaler/recovery"
)

// TestAPanicIsAnErrorWithItsStack, counted by who recovered from it first.
func TestAPanicIsAnErrorWithItsStack(t *testing.T) {
	t.Parallel()
	reg, said := prometheus.NewRegistry(), &bytes.Buffer{}
	logger := log.NewLogfmtLogger(said)
	g := recovery.New(reg, "work", "rest")
	again := recovery.New(reg, "more")
	var mu sync.Mutex
	err := g.Do(logger, "work", func() error {
		mu.Lock()
		defer mu.Unlock()
		nobody(nil)["x"] = 1
		return nil
	})
	p := recovery.Of(err)
	if p == nil || !strings.Contains(string(p.Stack), "recovery_test.go") {
		t.Fatalf("got %v", err)
	}
	if want := "internal error in the work: assignment to entry in nil map"; err.Error() != want {
		t.Errorf("got %q, want %q", err, want)
	}
	if !mu.TryLock() {
		t.Error("the lock is still held")
	}
	if s := said.String(); !strings.Contains(s, "recovery_test.go") || strings.Count(strings.TrimSpace(s), "\n") > 0 {
		t.Errorf("said %q", s)
	}
	if err := again.Do(logger, "more", func() error { panic(p) }); recovery.Of(err) != p {
		t.Errorf("a panic that is passed on became %v", err)
	}
	other := errors.New("other")
	if err := g.Do(logger, "rest", func() error { return other }); !errors.Is(err, other) {
		t.Errorf("got %v", err)
	}
	if err := testutil.GatherAndCompare(reg, strings.NewReader(`
# HELP alertscaler_panics_recovered_total Panics that were kept from ending the process, each with its stack in the log. Every one is a bug: please report it.
# TYPE alertscaler_panics_recovered_total counter
alertscaler_panics_recovered_total{component="more"} 0
alertscaler_panics_recovered_total{component="rest"} 0
alertscaler_panics_recovered_total{component="work"} 2
`)); err != nil {
		t.Error(err)
	}
}

// nobody returns m, in a way that no linter looks through.
func nobody(m map[string]int) map[string]int { return m }
