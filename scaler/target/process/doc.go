// Package process is the platform that needs no platform: it supervises copies
// of a command on the server's own host.
//
// Each replica is a process group of its own. What dies is started again, with
// a delay that doubles while it keeps dying. What is no longer wanted gets
// SIGTERM, and SIGKILL when it takes too long. On Linux replicas die with the
// server, even if that is killed; processes that a replica started itself do
// so only when the server ends in order, so a wrapper script had better exec.
//
// While a replica drains it neither counts as ready nor is an endpoint; it is
// measured until it is gone or its target is closed.
package process
