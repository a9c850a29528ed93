package share

import (
	"context"
	"errors"

	"github.com/alertscaler/alertscaler/scaler/target"
)

// Failure is the error of an operation: what was tried, which is op, and what
// kind of error came of it. It is nil for a nil err, and one that has a kind
// already stays as it is. A timeout is temporary, and so is everything once ctx is
// done, which it then says. All else is for judge: the Op of what that returns is
// empty, or goes on from op.
func Failure(ctx context.Context, op string, err error, judge func(error) *target.Error) error {
	if err == nil {
		return nil
	}
	if e, ok := errors.AsType[*target.Error](err); ok {
		return e
	}
	err = Cause(ctx, err)
	e := &target.Error{Kind: target.KindTemporary, Err: err}
	if !target.IsTimeout(err) {
		e = judge(err)
	}
	e.Op = op + e.Op
	return e
}
