// Package peers holds the autoscalers that others made: the code itself where
// it can be called, and models of their documentation where it cannot. Every
// type says where its rules come from.
package peers
