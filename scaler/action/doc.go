// Package action is what becomes of a decision. It says what to ask of which
// target and what to write before and after, judges the answers and what the
// targets show later, and knows whom to leave alone and for how long.
//
// It is as pure as policy.Decide: readings, answers and the time come in, and
// what to ask, to write and to tell goes out. There is no clock, no ledger, no
// platform and no goroutine in it. A Machine owns the open actions of one
// policy, and changes of policy.History what follows from outcomes: the moves,
// the backoffs, the contest, and what is known of each target.
//
// One decision is carried out by a Plan, in this order:
//
//	Intend     the decision and its actions are written; nothing is asked before
//	Ask        one target is asked for one number, and the answer judged
//	...        what was refused is intended for the other targets, and asked
//	Conclude   what came of it is written
//
// A crash may come between any two of these. What was intended is found again
// in the ledger, and Machine.Settle tells from what the target shows whether it
// was asked.
//
// A refusal is dealt with within the decision, and not in the next one: the
// next one would have to wait for an evaluation, and would find the same need.
package action
