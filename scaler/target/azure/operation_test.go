package azure

import (
	"context"
	"testing"
	"time"

	"github.com/alertscaler/alertscaler/scaler/realtest"
	"github.com/alertscaler/alertscaler/scaler/target"
	"github.com/alertscaler/alertscaler/scaler/target/azure/azuretest"
)

// TestFailedOperation: a request that was accepted and came to nothing shows,
// until there is another one.
func TestFailedOperation(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		code, message string
		details       []azuretest.Detail
		want          target.Kind
	}{
		{"AllocationFailed", "We do not have sufficient capacity.", nil, target.KindQuota},
		{"ZonalAllocationFailed", "Allocation failed.", nil, target.KindQuota},
		{"OverconstrainedAllocationRequest", "Too many constraints.", nil, target.KindQuota},
		{"SkuNotAvailable", "Not in this region.", nil, target.KindQuota},
		{"OperationNotAllowed", "Results in exceeding approved Cores quota.", nil, target.KindQuota},
		{"OperationNotAllowed", "Results in exceeding it.", []azuretest.Detail{{Code: "QuotaExceeded"}}, target.KindQuota},
		{"OperationPreempted", "A more recent operation took its place.", nil, target.KindConflict},
		{"Conflict", "The set is busy.", nil, target.KindConflict},
		{"AuthorizationFailed", "No access to the subnet.", nil, target.KindUnauthorized},
		{"InternalExecutionError", "An internal error.", nil, target.KindTemporary},
		{"VMExtensionProvisioningError", "The extension came to nothing.", nil, target.KindTemporary},
	} {
		t.Run(test.code, func(t *testing.T) {
			virtual(t, func(t *testing.T) {
				f := start(t, nil, web())
				s := open(t, f.config("web"))
				f.FailNext("shop", "web", test.code, test.message, test.details...)
				scale(t, s, 3)
				realtest.Eventually(t, converge, 10*time.Millisecond, "the failure shows", func() error {
					st := current(t, s)
					if st.Failed == nil {
						return context.DeadlineExceeded
					}
					wantKind(t, "Failed", st.Failed, test.want, test.code)
					wantKind(t, "Failed", st.Failed, test.want, test.message)
					if st.Requested != 3 || st.Ready != 1 {
						t.Errorf("%+v, want 3 requested, as Azure has it, and 1 ready", st)
					}
					return nil
				})
				scale(t, s, 1)
				if st := current(t, s); st.Failed != nil {
					t.Errorf("%v after another request", st.Failed)
				}
				settle(t, s, 1, 1)
			})
		})
	}
}

// TestPreempted: of two requests the second one counts, and that it ended the
// first is no failure.
func TestPreempted(t *testing.T) {
	virtual(t, testPreempted)
}

func testPreempted(t *testing.T) {
	x := web()
	x.Boot = 300 * time.Millisecond
	f := start(t, nil, x)
	s := open(t, f.config("web"))
	scale(t, s, 4)
	current(t, s)
	scale(t, s, 2)
	settle(t, s, 2, 2)
	if st := current(t, s); st.Failed != nil {
		t.Errorf("failed: %v", st.Failed)
	}
}

// TestRetryAfterOfOperations: an operation is not asked sooner than Azure says.
func TestRetryAfterOfOperations(t *testing.T) {
	virtual(t, testRetryAfterOfOperations)
}

func testRetryAfterOfOperations(t *testing.T) {
	x := web()
	x.PollAfter = 10 * time.Second
	f := start(t, nil, x)
	s := open(t, f.config("web"))
	scale(t, s, 2)
	f.Requests()
	for range 5 {
		current(t, s)
	}
	if n := count(f.Requests(), "/operations/"); n != 0 {
		t.Errorf("asked %d times within a moment", n)
	}
}

// TestAsked: what a target holds for old news after its own write.
func TestAsked(t *testing.T) {
	t.Parallel()
	now := time.Now()
	for _, test := range []struct {
		name string
		do   func(*asked)
		read int
		at   time.Duration
		want int
	}{
		{"nothing asked", func(*asked) {}, 4, 0, 4},
		{"the old number", func(a *asked) { a.accept(now, 4, 7, false) }, 4, 0, 7},
		{"the new number", func(a *asked) { a.accept(now, 4, 7, false) }, 7, 0, 7},
		{"someone else's", func(a *asked) { a.accept(now, 4, 7, false) }, 5, 0, 5},
		{"older than old", func(a *asked) { a.accept(now, 4, 7, false); a.accept(now, 7, 9, false) }, 4, 0, 9},
		{"halfway through a deletion", func(a *asked) { a.accept(now, 7, 4, true) }, 6, 0, 4},
		{"less than a deletion leaves", func(a *asked) { a.accept(now, 7, 4, true) }, 3, 0, 3},
		{"while it goes on", func(a *asked) { a.accept(now, 4, 7, false) }, 4, time.Hour, 7},
		{"soon after its end", func(a *asked) { a.accept(now, 4, 7, false); a.settle(now, false) }, 4, consistency / 2, 7},
		{"long after its end", func(a *asked) { a.accept(now, 4, 7, false); a.settle(now, false) }, 4, 2 * consistency, 4},
		{"after it failed", func(a *asked) { a.accept(now, 4, 7, false); a.settle(now, true) }, 4, 0, 4},
	} {
		var a asked
		test.do(&a)
		if got := a.requested(now.Add(test.at), test.read); got != test.want {
			t.Errorf("%s: %d read is %d requested, want %d", test.name, test.read, got, test.want)
		}
	}
}
