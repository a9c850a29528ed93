// Package policy is the decision, and nothing else.
//
// Decide takes everything it needs as arguments, now included, and returns a
// value: how many replicas a policy should have and every step that led
// there. The package does no I/O, reads no clock, logs nothing and keeps no
// state, so that the server, the policy tests and the simulator share one
// implementation, and a decision can be replayed from what was recorded.
//
// Nothing here is safe to mutate concurrently; everything is safe to read
// concurrently.
package policy
