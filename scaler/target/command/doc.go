// Package command scales what two programs of the operator know how to scale:
// one that prints how many replicas there are, and one that is told how many
// there should be. It is the door for what has no number behind an address
// with a static header; docs/command.md is the contract for whoever writes the
// programs.
package command
