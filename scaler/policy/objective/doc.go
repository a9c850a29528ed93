// Package objective learns how much must be kept free so that a workload is
// under capacity no more than a given share of the time, as cheaply as that can
// be had; or so that replicas and what is missing of them, at a price, cost the
// least together.
//
// What a workload demands does not depend on how many replicas it has. So every
// form, which is one of ten forecasts with one of four margins, can be judged by
// what came after it had answered, one provisioning time later. It is held
// against nothing else: a forecast that was found in the past is not judged by
// that past.
//
// A share of the time is a price too: 1 ÷ (1 - share). The margin of each form
// is the quantile, at 1 in that price, of what it would have needed. The forms
// answer together: the weight of each goes by how much less it would have cost
// than what was played. What was learnt is forgotten within days. How often the
// margins of a share may be too small follows slowly what came of it.
//
// Usage is a mean, and what it hides is demanded too: it is learnt from by its
// likelihood.
//
// Quantities are counted in replicas while learning, because capacity is bought
// in whole ones: usage of 4.2 replicas is served by any forecast above 4.
//
// A Learner is incremental and pure: it reads no clock, and what it knows is a
// function of the samples that it was given. It holds less than 64 KB, whatever
// the workload: about 40 KB where a replica takes a minute.
package objective
