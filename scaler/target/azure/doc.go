// Package azure scales virtual machine scale sets of Azure, of uniform and of
// flexible orchestration, by the capacity of their sku.
//
// Targets of one subscription and identity share one account: one client, and
// one short-lived list of scale sets that all of them are read from. The
// instances of a set are listed only while they may change, see ready.
//
// Of the SDK it uses the pipeline for Azure Resource Manager, its pollers and
// the credentials. The six requests are written out here: the typed client of
// compute takes no 202 for a change of a scale set, leaves no choice of the API's
// version, and adds most of a megabyte to the program.
package azure
