// Package rules holds the rule files that ship with Alertscaler, as they are
// rendered from mixin/, and writes rules of the same kind with the thresholds
// of a configuration's own policies.
//
// The files are for Prometheus' rule_files. Load process.scale.yml,
// docker.scale.yml, kubernetes.scale.yml or node.scale.yml for each source that
// you scrape: it has all from what is scraped to the alerts that scale, in one
// group. objective.rules.yml is for where what must stay free is to be learnt, and
// alertscaler.alerts.yml for Alertscaler itself.
//
// The same is there in parts, for those who record usage by rules of their own
// or have alerts of their own: docker.rules.yml and so on without what follows
// from the sums, scale.rules.yml for that, and scale.alerts.yml. Load the parts or
// the whole. The alerts of a *.scale.yml look only after targets that its source
// reports.
//
// What Generate writes takes the place of the shipped alerts, or alerts contradict
// each other. With Options.Sources load it instead of their *.scale.yml; without
// them, beside docker.rules.yml and so on and scale.rules.yml.
package rules

import "embed"

// FS has the shipped rule files by their names, such as "docker.rules.yml".
//
//go:embed *.yml
var FS embed.FS
