// Package azure scales virtual machine scale sets of Azure, of uniform and of
// flexible orchestration, by the capacity of their sku.
//
// Targets of one subscription and identity share one account: one client, and
// one short-lived list of scale sets that all of them are read from. The
// instances of a set are listed only while they may change, see ready.
//
// Of the SDK it uses the pipeline for Azure Resource Manager and the
// credentials. The requests are written out here: the typed client of compute
// brings hundreds of types into the program for the six that are needed.
package azure
