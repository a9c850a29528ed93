// Package share is what several platforms need once: clients that targets are
// lent, one for each configuration and content of the files that it names;
// readings, one for all who need the same thing at the same time; a lock and
// calls that hear the end of a context; what error codes, exit codes, an HTTP status,
// Retry-After and an answer that broke off mean; numbers of replicas in JSON that
// others write; how a change of a number begins, whom it takes, and how it is the
// same one when its answer was lost; discoverers.
package share
