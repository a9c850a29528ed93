// Package share lends clients to targets: one for each configuration and
// content of the files that it names, however many targets there are.
package share
