// Package docker scales what a Docker Engine runs: services of a swarm
// (docker_service), and copies of one container or the containers of a compose
// service (docker_container).
//
// Targets of the same Engine share one client. Every call negotiates nothing
// and dials nothing that an earlier call has done already.
package docker
