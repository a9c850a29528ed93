// Package simulate runs the engine on a simulated clock, against simulated
// platforms and given usage: unit tests of policies, as promtool test rules is
// for rules. The engine, the book of alerts, the gate of data quality and the
// decision are those of the server; what is simulated is the world around
// them, and the ledger is one in memory.
package simulate
