// Package learning owns what a policy has learnt of its resources with an
// objective: the learner of each, what of it has still to be written, and how
// far the past has been read. Learners outlive a restart by their written state
// and by the samples since, which the policy's history remembers. What they are
// and how they learn is package objective's.
package learning
