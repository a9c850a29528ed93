// Package discovery makes policies of things that ask for it: services,
// containers and workloads that carry labels beginning with alertscaler.
//
// A Manager asks each platform again and again. What is found is turned into
// policies by functions that do no I/O, and joined with the configuration by
// its coordinator. A thing whose labels are not valid affects no other, and a
// platform that does not answer takes nothing away.
package discovery
