// Package ansible scales what a playbook can change: by the ansible-playbook of
// this host (ansible), or by a job template of AWX or Automation Controller
// (awx). Either is told the count that is wanted, and how many there are is
// read from an inventory group or from a command.
//
// A playbook takes minutes, and Scale is not to take as long as that. So Scale
// starts it, waits a little for what fails at once, and answers. While the run
// is under way Current reports the count that was asked for; a run that fails
// later is remembered, and the next Current or Scale says so.
package ansible
