// Package gcp scales managed instance groups of Google Compute Engine, zonal
// and regional ones, through Google's generated client of the Compute Engine
// API (REST) and its library for credentials.
//
// Targets of one set of credentials share one client, and a short-lived copy of
// the groups that they are about: five hundred groups of a zone are read with
// one request a round. What the copy cannot tell, which instances serve while
// a group changes, is asked for group by group.
package gcp
