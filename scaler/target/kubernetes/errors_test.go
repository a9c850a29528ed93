package kubernetes

import (
	"context"
	"errors"
	"fmt"
	"io"
	"syscall"
	"testing"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/alertscaler/alertscaler/scaler/target"
)

// TestKind covers what the cluster's own tests cannot have it say.
func TestKind(t *testing.T) {
	t.Parallel()
	deployments := schema.GroupResource{Group: "apps", Resource: "deployments"}
	kind, because := schema.GroupKind{Group: "apps", Kind: "Deployment"}, errors.New("because")
	for _, test := range []struct {
		err   error
		want  target.Kind
		after time.Duration
	}{
		{apierrors.NewConflict(deployments, "web", because), target.KindConflict, 0},
		{apierrors.NewTooManyRequests("slow down", 12), target.KindThrottled, 12 * time.Second},
		{apierrors.NewTooManyRequestsError("slow down"), target.KindThrottled, 0},
		{apierrors.NewForbidden(deployments, "web", because), target.KindUnauthorized, 0},
		{apierrors.NewForbidden(deployments, "web", errors.New("exceeded quota: shop, used: pods=9")), target.KindQuota, 0},
		{apierrors.NewUnauthorized("who are you"), target.KindUnauthorized, 0},
		{apierrors.NewNotFound(deployments, "web"), target.KindNotFound, 0},
		{apierrors.NewInvalid(kind, "web", nil), target.KindPermanent, 0},
		{apierrors.NewBadRequest("what"), target.KindPermanent, 0},
		{apierrors.NewMethodNotSupported(deployments, "put"), target.KindPermanent, 0},
		{apierrors.NewRequestEntityTooLargeError("too much"), target.KindPermanent, 0},
		{apierrors.NewTimeoutError("too long", 3), target.KindTemporary, 3 * time.Second},
		{apierrors.NewServerTimeout(deployments, "put", 4), target.KindTemporary, 4 * time.Second},
		{apierrors.NewInternalError(because), target.KindTemporary, 0},
		{apierrors.NewServiceUnavailable("no"), target.KindTemporary, 0},
		{apierrors.NewResourceExpired("continue token"), target.KindTemporary, 0},
		{syscall.ECONNREFUSED, target.KindTemporary, 0},
		{io.ErrUnexpectedEOF, target.KindTemporary, 0},
		{context.DeadlineExceeded, target.KindTemporary, 0},
	} {
		err := failure(t.Context(), "scale Deployment shop/web", fmt.Errorf("wrapped: %w", test.err))
		if target.KindOf(err) != test.want || target.RetryAfter(err) != test.after || !errors.Is(err, test.err) {
			t.Errorf("%v: kind %q after %v, want %q after %v", err, target.KindOf(err), target.RetryAfter(err), test.want, test.after)
		}
	}
}

// TestFailureNamesTheDeadline: what client-go says of one does not always.
func TestFailureNamesTheDeadline(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	err := failure(ctx, "read", apierrors.NewConflict(schema.GroupResource{}, "x", errors.New("cut short")))
	if !target.IsTimeout(err) || target.KindOf(err) != target.KindTemporary {
		t.Errorf("%v (kind %q), want the cancellation", err, target.KindOf(err))
	}
}
