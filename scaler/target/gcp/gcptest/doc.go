// Package gcptest is Google Compute Engine as far as managed instance groups
// are scaled, and what gives out access tokens for it: it speaks the published
// REST API of compute v1 under /compute/v1/, the token endpoint of service
// accounts, and generateAccessToken of the IAM credentials API. It starts
// nothing: instances boot, become healthy and go by the clock.
//
// What is asked for in fields is all that is answered, and a field that the
// model does not have is refused, as Google does both.
package gcptest
