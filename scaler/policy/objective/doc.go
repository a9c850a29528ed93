// Package objective learns how much must be kept free so that a workload is
// under capacity no more than a given share of the time, as cheaply as that can
// be had; or so that replicas and what is missing of them, at a price, cost the
// least together.
//
// What a workload demands does not depend on how many replicas it has. So every
// candidate, which is a forecast and a form of margin, can be judged by what
// happened: how large its margin would have had to be at each instant of the
// past, one provisioning time ahead. Its margin is the (1 - α) quantile of that,
// where α = 1 - share, or 1 ÷ price, and the candidate that would have cost the
// least is played.
//
// Quantities are counted in replicas while learning, because capacity is bought
// in whole ones: usage of 4.2 replicas is served by any forecast above 4.
//
// A Learner is incremental and pure: it reads no clock, and what it knows is a
// function of the samples that it was given. It holds less than 64 KB, whatever
// the workload.
package objective
