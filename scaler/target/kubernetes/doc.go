// Package kubernetes scales whatever a Kubernetes API server gives a scale
// subresource: Deployments, StatefulSets, ReplicaSets and custom resources.
//
// Targets of one cluster share one client. It watches nothing and keeps no copy
// of the cluster: a read is two or three small requests. The client is
// client-go's dynamic one, because the typed ones and the discovery client
// bring every type of Kubernetes into the program, three times the rest.
package kubernetes
