// Package rules holds the rule files that ship with Alertscaler, as they are
// rendered from mixin/, and writes rules of the same kind with the thresholds
// of a configuration's own policies.
//
// The files are for Prometheus' rule_files. Load those of the sources that
// you scrape (process, docker, kubernetes, node), scale.rules.yml for what
// follows from them, objective.rules.yml where what must stay free is to be
// learnt, alertscaler.alerts.yml for Alertscaler itself, and either
// scale.alerts.yml or what Generate writes, but not both.
package rules

import "embed"

// FS has the shipped rule files by their names, such as "docker.rules.yml".
//
//go:embed *.yml
var FS embed.FS
