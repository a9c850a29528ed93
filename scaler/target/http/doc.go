// Package http scales anything that answers two requests: one that reads how
// many replicas there are, and one that asks for a number of them. It is the
// door for everything that has no platform of its own; docs/http-target.md is
// the contract for whoever writes the other side.
package http
