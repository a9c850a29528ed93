// Package webhook is the HTTP face of Alertscaler: it takes Alertmanager's
// notifications, answers the JSON API, shows the pages and tells whether the
// server is well.
//
// It decides nothing and keeps nothing. What it needs of the rest of the
// program it asks for in small interfaces, declared here, and joined in cmd.
// TLS and authentication are the listener's, through the toolkit that all
// exporters use, and are wired there too.
package webhook
