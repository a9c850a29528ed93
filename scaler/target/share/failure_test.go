package share_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/alertscaler/alertscaler/scaler/target"
	"github.com/alertscaler/alertscaler/scaler/target/share"
)

func TestFailure(t *testing.T) {
	t.Parallel()
	done, cancel := context.WithCancel(t.Context())
	cancel()
	refused := errors.New("refused")
	known := target.Errorf(target.KindQuota, "list", "no more")
	for _, test := range []struct {
		name string
		ctx  context.Context
		err  error
		want target.Kind
		says string
	}{
		{"nothing", t.Context(), nil, "", ""},
		{"judged", t.Context(), refused, target.KindConflict, "read: get a token: refused"},
		{"of a kind already", t.Context(), fmt.Errorf("read it: %w", known), target.KindQuota, "list: no more"},
		{"of a kind already, too late", done, known, target.KindQuota, "list: no more"},
		{"too late", done, refused, target.KindTemporary, "read: context canceled: refused"},
		{"too late by its own word", done, done.Err(), target.KindTemporary, "read: context canceled"},
		{"timeout of its own", t.Context(), context.DeadlineExceeded, target.KindTemporary, "read: context deadline exceeded"},
	} {
		err := share.Failure(test.ctx, "read", test.err, func(err error) *target.Error {
			return &target.Error{Kind: target.KindConflict, RetryAfter: time.Second, Op: ": get a token", Err: err}
		})
		if got := target.KindOf(err); got != test.want {
			t.Errorf("%s: kind %q, want %q", test.name, got, test.want)
		}
		if err == nil {
			continue
		}
		if err.Error() != test.says || (target.RetryAfter(err) > 0) != (test.want == target.KindConflict) {
			t.Errorf("%s: %v, after %v, want %s", test.name, err, target.RetryAfter(err), test.says)
		}
	}
}
