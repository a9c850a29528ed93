// Package house runs what the examples have in common: a real Prometheus, a
// real Alertmanager and Alertscaler, started one after another and ended in
// the opposite order, whatever happens meanwhile; a load; and the story that an
// example tells and is held to.
//
// An example is a folder with the configuration of the three, and a main
// function that is one call of Run.
package house
