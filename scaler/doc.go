// Package scaler is the engine: it joins the book of alerts, the usage that
// Prometheus recorded, the targets, the policies and the ledger in one loop.
//
// Each policy is evaluated when its alerts change, every evaluation interval,
// and more often while an action has still to converge. Evaluations of one
// policy follow each other; evaluations of different policies run side by
// side, so that nobody waits for another's slow platform.
//
// A runner says whose turn it is. An evaluation reads the targets, settles what
// is open from earlier actions, reads usage, asks policy.Decide, and has what
// was decided carried out as package action plans it: the decision is written
// to the ledger, and only then the platform is called, always with an absolute
// number. What becomes of that is judged by package action, and which replicas
// go is chosen by package victims.
package scaler
