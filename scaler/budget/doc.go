// Package budget owns what policies decide about together: how much of each
// budget every one of them holds and lacks, what room that leaves for the
// others, and how many of them want to scale down at once. Its sums are kept as
// parts change, so that a decision takes no longer the more policies there are.
//
// Policies take Turns. Whom a decision concerns is returned; to wake them is
// the caller's.
package budget
