// Package export shows Prometheus what the engine does. It owns the metrics:
// their names, the Counters of what each policy did, the Timings of what the
// engine waits for, and the Collector, which renders what is known of every
// policy at the time of a scrape. What it shows it is given as plain values; it
// knows no engine.
package export
