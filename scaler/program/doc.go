// Package program runs the programs of operators: replicas, playbooks, hooks
// and commands. It decides what they are given of the server's environment,
// ends them together with what they started, and bounds what is kept of their
// output.
package program
