// Package realtest runs the real thing for tests: Prometheus, Alertmanager,
// cAdvisor, a Docker Engine, Kubernetes. Only tests import it.
//
// What a machine lacks makes the test skip with the name of what is missing,
// or fail where REQUIRE_ALL=1 is set, as in CI. Whatever a function here starts
// ends with the test, and what it printed is logged if the test failed.
package realtest

import (
	"os"
	"testing"
	"time"
)

// SkipOrFail skips t with the formatted reason, or fails it when the
// environment says REQUIRE_ALL=1. The reason says what is missing and how to
// get it.
func SkipOrFail(t testing.TB, format string, args ...any) {
	t.Helper()
	if os.Getenv("REQUIRE_ALL") == "1" {
		t.Fatalf(format, args...)
	}
	t.Skipf(format, args...)
}

// Eventually calls check every so often until it returns nil, and fails t with
// its last error if that takes longer than within. What names the condition in
// the failure: "the service has 3 ready replicas".
func Eventually(t testing.TB, within, every time.Duration, what string, check func() error) {
	t.Helper()
	deadline := time.Now().Add(within)
	for {
		err := check()
		if err == nil {
			return
		}
		if time.Now().Add(every).After(deadline) {
			t.Fatalf("%s: not within %s: %v", what, within, err)
		}
		time.Sleep(every)
	}
}
