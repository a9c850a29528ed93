// Package scaler is the engine: it joins the book of alerts, the usage that
// Prometheus recorded, the targets, the policies and the ledger in one loop.
//
// Each policy is evaluated when its alerts change, every evaluation interval,
// and more often while an action has still to converge. Evaluations of one
// policy follow each other; evaluations of different policies run side by
// side, so that nobody waits for another's slow platform.
//
// An evaluation reads the targets, settles what is open from earlier actions,
// reads usage, asks policy.Decide, writes the decision to the ledger, and only
// then calls the platform, always with an absolute number.
package scaler
