// Package share is what several platforms need once: clients that targets are
// lent, one for each configuration and content of the files that it names; a
// lock that hears the end of a context; what an HTTP status, Retry-After and an
// answer that broke off mean; numbers of replicas in JSON that others write.
package share
