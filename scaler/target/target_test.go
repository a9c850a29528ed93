package target

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"
)

func TestKindOf(t *testing.T) {
	t.Parallel()
	quota := Errorf(KindQuota, "scale web", "%w", errors.New("no more"))
	for _, test := range []struct {
		name string
		err  error
		want Kind
	}{
		{"none", nil, ""},
		{"of a kind", quota, KindQuota},
		{"wrapped", fmt.Errorf("policy web: %w", quota), KindQuota},
		{"joined", errors.Join(errors.New("other"), quota), KindQuota},
		{"the outermost of two", &Error{Kind: KindPermanent, Op: "x", Err: quota}, KindPermanent},
		{"a deadline", context.DeadlineExceeded, KindTemporary},
		{"unknown", errors.New("what"), KindTemporary},
	} {
		if got := KindOf(test.err); got != test.want {
			t.Errorf("%s: kind %q, want %q", test.name, got, test.want)
		}
	}
}

func TestError(t *testing.T) {
	t.Parallel()
	err := Errorf(KindTemporary, "read service web", "dial: %w", context.DeadlineExceeded)
	if got, want := err.Error(), "read service web: dial: context deadline exceeded"; got != want {
		t.Errorf("Error() = %q, want %q", got, want)
	}
	if !IsTimeout(err) || IsTimeout(errors.New("slow")) {
		t.Error("IsTimeout does not tell the caller's deadline from other errors")
	}
	throttled := &Error{Kind: KindThrottled, Op: "scale web", RetryAfter: time.Minute}
	if got, want := throttled.Error(), "scale web: throttled"; got != want {
		t.Errorf("Error() = %q, want %q", got, want)
	}
	if got := RetryAfter(fmt.Errorf("x: %w", throttled)); got != time.Minute {
		t.Errorf("RetryAfter = %v, want 1m", got)
	}
	if got := RetryAfter(err); got != 0 {
		t.Errorf("RetryAfter = %v, want 0", got)
	}
	field := &FieldError{Field: "ready.http_path", Msg: "must begin with a slash"}
	if got, want := field.Error(), "ready.http_path: must begin with a slash"; got != want {
		t.Errorf("Error() = %q, want %q", got, want)
	}
}

// fake is a platform of that name.
type fake string

func (f *fake) Platform() string          { return string(*f) }
func (*fake) Validate() error             { return nil }
func (*fake) Identity() string            { return "" }
func (*fake) New(Options) (Target, error) { return nil, errors.ErrUnsupported }
func named(name string) func() Config     { return func() Config { f := fake(name); return &f } }

func TestRegistry(t *testing.T) {
	t.Parallel()
	r := NewRegistry(named("b"), named("a"))
	if got := strings.Join(r.Names(), " "); got != "a b" {
		t.Errorf("Names = %s, want them sorted", got)
	}
	if cfg, err := r.New("b"); err != nil || cfg.Platform() != "b" {
		t.Errorf("New(b) = %v, %v", cfg, err)
	}
	if _, err := r.New("c"); err == nil || err.Error() != `unknown platform "c" (known: a, b)` {
		t.Errorf("New(c): %v, want it to name those that there are", err)
	}
	defer func() {
		if recover() == nil {
			t.Error("a platform was installed twice")
		}
	}()
	NewRegistry(named("a"), named("a"))
}

func TestRequest(t *testing.T) {
	t.Parallel()
	if r, known := RequestOf(t.Context()); known || r != (Request{}) {
		t.Errorf("RequestOf of a bare context = %+v, %v", r, known)
	}
	want := Request{Policy: "web", Reason: "scaled_up", From: 2}
	if r, known := RequestOf(WithRequest(t.Context(), want)); !known || r != want {
		t.Errorf("RequestOf = %+v, %v, want %+v", r, known, want)
	}
}
