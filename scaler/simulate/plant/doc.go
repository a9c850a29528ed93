// Package plant is a scaled service in virtual time: demand that changes,
// replicas that take a while to become ready, and a controller that is asked
// at fixed times how many there should be. It measures what the controller's
// answers cost and how often they were too few, so that autoscalers can be
// compared on the same demand under the same rules.
//
// It knows nothing of Alertscaler. Every unit of demand keeps one replica
// busy, all replicas are equal, and demand does not depend on what the
// controller does; what is not served is lost and does not come back.
package plant
