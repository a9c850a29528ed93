package target

import "context"

// Request is why a count is asked for: what platforms pass on that tell people
// about it, such as a playbook's variables. It changes nothing of what Scale
// does.
type Request struct {
	// Policy is the name of the policy that decided.
	Policy string
	// Reason is the decision's reason, of the closed list of package policy.
	Reason string
	// From is the count that the decision started from. The platform may have
	// another by now.
	From int
}

type requestKey struct{}

// WithRequest returns a context for a call to Scale that carries r.
func WithRequest(ctx context.Context, r Request) context.Context {
	return context.WithValue(ctx, requestKey{}, r)
}

// RequestOf returns the request that ctx carries; known is false where the
// caller of Scale gave none.
func RequestOf(ctx context.Context) (r Request, known bool) {
	r, known = ctx.Value(requestKey{}).(Request)
	return r, known
}
