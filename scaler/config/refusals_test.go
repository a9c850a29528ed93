package config_test

import (
	"strings"
	"testing"

	"github.com/alertscaler/alertscaler/scaler/config"
	"github.com/alertscaler/alertscaler/scaler/target/install"
)

// refusals are configurations that are not valid and what is said of each:
// where, what, and what would be right. {{T}} is a good list of targets, {{P}}
// a good list of policies.
var refusals = []struct {
	name, text string
	wants      []string
}{
	{"max of 0", "policies: [{ name: web, max: 0, {{T}} }]", []string{"a.yml:1: policies[0].max: 0 is not a number of replicas of at least 1 and at most 1000000"}},
	{"negative max", "policies: [{ name: web, max: -5, {{T}} }]", []string{"a.yml:1: policies[0].max: -5 is not a number of replicas of at least 1 and at most 1000000"}},
	{"max of an int64", "policies: [{ name: web, max: 9223372036854775807, {{T}} }]", []string{"a.yml:1: policies[0].max: 9223372036854775807 is not a number of replicas of at least 1 and at most 1000000"}},
	{"max of an int32", "policies: [{ name: web, max: 2147483647, {{T}} }]", []string{"a.yml:1: policies[0].max: 2147483647 is not a number of replicas of at least 1 and at most 1000000"}},
	{"a million and one", "policies: [{ name: web, max: 1000001, {{T}} }]", []string{"a.yml:1: policies[0].max: 1000001 is not a number of replicas of at least 1 and at most 1000000"}},
	{"no max", "policies: [{ name: web, max: , {{T}} }]", []string{"a.yml:1: policies[0].max: is missing; say how many replicas there may be at most"}},
	{"max beyond int64", "policies: [{ name: web, max: 99999999999999999999, {{T}} }]", []string{"a.yml:1: 99999999999999999999 is too large a number"}},
	{"max in quotes", `policies: [{ name: web, max: "10", {{T}} }]`, []string{`a.yml:1: "10" is not a whole number, as it is in quotes; write 10 without them`}},
	{"max in words", "policies: [{ name: web, max: ten, {{T}} }]", []string{`a.yml:1: "ten" is not a whole number`}},
	{"infinite max", "policies: [{ name: web, max: .inf, {{T}} }]", []string{`a.yml:1: ".inf" is not a whole number`}},
	{"max of NaN", "policies: [{ name: web, max: .nan, {{T}} }]", []string{`a.yml:1: ".nan" is not a whole number`}},
	{"octal max", "policies: [{ name: web, max: 010, {{T}} }]", []string{"a.yml:1: policies[0].max: 010 would be read as an octal number; write it without the leading zero"}},
	{"fraction", "policies: [{ name: web, max: 2.5, {{T}} }]", []string{"a.yml:1: policies[0].max: 2.5 is not a whole number"}},
	{"yes", "policies: [{ name: web, max: yes, {{T}} }]", []string{`a.yml:1: "yes" is not a whole number`}},
	{"true", "policies: [{ name: web, max: true, {{T}} }]", []string{`a.yml:1: "true" is not a whole number`}},
	{"list", "policies: [{ name: web, max: [10], {{T}} }]", []string{"a.yml:1: a list is not a whole number"}},
	{"mapping", "policies: [{ name: web, max: {a: 1}, {{T}} }]", []string{"a.yml:1: a mapping is not a whole number"}},
	{"python", "policies: [{ name: web, max: !!python/object:os.system 10, {{T}} }]", []string{"a.yml:1: the tag !!python/object:os.system means nothing here; leave it out"}},
	{"custom tag", "policies: [{ name: web, max: !vault 10, {{T}} }]", []string{"a.yml:1: the tag !vault means nothing here; leave it out"}},
	{"binary", "policies: [{ name: web, max: !!binary MTA=, {{T}} }]", []string{"a.yml:1: the tag !!binary means nothing here; leave it out"}},
	{"python name", `policies: [{ name: !!python/object/apply:os.system ["x"], max: 10, {{T}} }]`, []string{"a.yml:1: the tag !!python/object/apply:os.system means nothing here; leave it out"}},
	{"python list", "policies: !!python/tuple [{ name: web, max: 10, {{T}} }]", []string{"a.yml:1: the tag !!python/tuple means nothing here; leave it out"}},
	{"tag that lies", "policies: [{ name: !!int web, max: 10, {{T}} }]", []string{`a.yml:1: policies[0].name: "web" is not what its tag !!int says`}},
	{"negative min", "policies: [{ name: web, min: -1, max: 10, {{T}} }]", []string{"a.yml:1: policies[0].min: -1 is not a number of replicas of at least 0 and at most 1000000"}},
	{"priority", "policies: [{ name: web, max: 10, {{T}}, priority: 9999999 }]", []string{"a.yml:1: policies[0].priority: 9999999 is not a priority of at least -1000000 and at most 1000000"}},
	{"alert step", "policies: [{ name: web, max: 10, {{T}}, alert_step: { up: 9999999 } }]", []string{`a.yml:1: "9999999" is not a step; write a number of replicas of at least 1, or a percentage such as "25%"; it is at most 1000000 replicas`}},
	{"alert step in percent", "policies: [{ name: web, max: 10, {{T}}, alert_step: { up: 2000% } }]", []string{`a.yml:1: "2000%" is not a step; a percentage lies above 0 % and at most at 1000 %`}},
	{"step", "policies: [{ name: web, max: 10, {{T}}, scale_up: { step: { replicas: 1000001, per: 1m } } }]", []string{"a.yml:1: policies[0].scale_up.step.replicas: 1000001 is not a number of replicas of at least 0 and at most 1000000"}},
	{"step ratio", "policies: [{ name: web, max: 10, {{T}}, scale_up: { step: { ratio: 1e9, per: 1m } } }]", []string{"a.yml:1: policies[0].scale_up.step.ratio: 1e+09 is not a share of at least 0 and at most 1000; 1 doubles"}},
	{"step of NaN", "policies: [{ name: web, max: 10, {{T}}, scale_up: { step: { ratio: .nan, per: 1m } } }]", []string{"a.yml:1: policies[0].scale_up.step.ratio: NaN is not a share"}},
	{"tolerance", "policies: [{ name: web, max: 10, {{T}}, scale_down: { tolerance: -.inf } }]", []string{"a.yml:1: policies[0].scale_down.tolerance: -Inf is not a share of at least 0 and below 1"}},
	{"cooldown", "policies: [{ name: web, max: 10, {{T}}, scale_down: { cooldown: 300y } }]", []string{`a.yml:1: "300y" is too long; no duration here is longer than 1y`}},
	{"per", "policies: [{ name: web, max: 10, {{T}}, scale_down: { step: { ratio: 0.1, per: 5 } } }]", []string{`a.yml:1: "5" is not a duration; write it as 30s, 5m or 1h30m`}},
	{"reserved replicas", "prometheus: { url: \"http://x:9090\" }\npolicies: [{ name: web, max: 10, {{T}}, resources: [{ name: cpu, reservation: { replicas: 2000000 } }] }]", []string{"a.yml:2: policies[0].resources[0].reservation.replicas: 2000000 is not a number of replicas of at least 0 and at most 1000000"}},
	{"reserved ratio", "prometheus: { url: \"http://x:9090\" }\npolicies: [{ name: web, max: 10, {{T}}, resources: [{ name: cpu, reservation: { ratio: 0.99999999 } }] }]", []string{"a.yml:2: policies[0].resources[0].reservation.ratio: 0.99999999 is not a share of at least 0 and below 1; at most 0.999 may be kept free"}},
	{"objective in words", "prometheus: { url: \"http://x:9090\" }\npolicies: [{ name: web, max: 10, {{T}}, resources: [{ name: cpu, reservation: { objective: high } }] }]", []string{`a.yml:2: "high" is not an objective; write a share of the time such as 0.99, or { shortage_price: 25 }`}},
	{"objective in quotes", "prometheus: { url: \"http://x:9090\" }\npolicies: [{ name: web, max: 10, {{T}}, resources: [{ name: cpu, reservation: { objective: \"0.99\" } }] }]", []string{`a.yml:2: "0.99" is not a number, as it is in quotes; write 0.99 without them`}},
	{"list of objectives", "prometheus: { url: \"http://x:9090\" }\npolicies: [{ name: web, max: 10, {{T}}, resources: [{ name: cpu, reservation: { objective: [0.99] } }] }]", []string{"a.yml:2: a list is not an objective; write a share of the time such as 0.99, or { shortage_price: 25 }"}},
	{"objective of nothing", "prometheus: { url: \"http://x:9090\" }\npolicies: [{ name: web, max: 10, {{T}}, resources: [{ name: cpu, reservation: { objective: {} } }] }]", []string{"a.yml:2: shortage_price is missing; write what a replica that is missing costs, in replicas that are there, such as { shortage_price: 25 }"}},
	{"no price", "prometheus: { url: \"http://x:9090\" }\npolicies: [{ name: web, max: 10, {{T}}, resources: [{ name: cpu, reservation: { objective: { shortage_price: } } }] }]", []string{"a.yml:2: shortage_price is missing; write what a replica that is missing costs, in replicas that are there, such as { shortage_price: 25 }"}},
	{"price of nothing", "prometheus: { url: \"http://x:9090\" }\npolicies: [{ name: web, max: 10, {{T}}, resources: [{ name: cpu, reservation: { objective: { shortage_price: 0 } } }] }]", []string{`a.yml:2: policies[0].resources[0].reservation.objective.shortage_price: 0 is not a price above 1 and at most 10000; with 25 a replica that is missing costs as much as 25 that are there`}},
	{"price of nothing for a template", "prometheus: { url: \"http://x:9090\" }\npolicy_templates: [{ name: t, reservation: { objective: { shortage_price: 0.0 } } }]\n{{P}}", []string{`a.yml:2: policy_templates[0].reservation.objective.shortage_price: 0 is not a price above 1 and at most 10000; with 25 a replica that is missing costs as much as 25 that are there`}},
	{"price of nothing by a merge", "prometheus: { url: \"http://x:9090\" }\npolicies: [{ name: web, max: 10, {{T}}, resources: [{ name: cpu, reservation: { objective: { <<: { shortage_price: 0 } } } }] }]", []string{`policies[0].resources[0].reservation.objective.shortage_price: 0 is not a price above 1 and at most 10000; with 25 a replica that is missing costs as much as 25 that are there`}},
	{"price of one replica", "prometheus: { url: \"http://x:9090\" }\npolicies: [{ name: web, max: 10, {{T}}, resources: [{ name: cpu, reservation: { objective: { shortage_price: 1 } } }] }]", []string{`a.yml:2: policies[0].resources[0].reservation.objective.shortage_price: 1 is not a price above 1 and at most 10000; with 25 a replica that is missing costs as much as 25 that are there`}},
	{"negative price", "prometheus: { url: \"http://x:9090\" }\npolicies: [{ name: web, max: 10, {{T}}, resources: [{ name: cpu, reservation: { objective: { shortage_price: -25 } } }] }]", []string{`a.yml:2: policies[0].resources[0].reservation.objective.shortage_price: -25 is not a price above 1 and at most 10000; with 25 a replica that is missing costs as much as 25 that are there`}},
	{"too high a price", "prometheus: { url: \"http://x:9090\" }\npolicies: [{ name: web, max: 10, {{T}}, resources: [{ name: cpu, reservation: { objective: { shortage_price: 10001 } } }] }]", []string{`a.yml:2: policies[0].resources[0].reservation.objective.shortage_price: 10001 is not a price above 1 and at most 10000; with 25 a replica that is missing costs as much as 25 that are there`}},
	{"infinite price", "prometheus: { url: \"http://x:9090\" }\npolicies: [{ name: web, max: 10, {{T}}, resources: [{ name: cpu, reservation: { objective: { shortage_price: .inf } } }] }]", []string{`a.yml:2: policies[0].resources[0].reservation.objective.shortage_price: +Inf is not a price above 1 and at most 10000; with 25 a replica that is missing costs as much as 25 that are there`}},
	{"price of NaN", "prometheus: { url: \"http://x:9090\" }\npolicies: [{ name: web, max: 10, {{T}}, resources: [{ name: cpu, reservation: { objective: { shortage_price: .nan } } }] }]", []string{`a.yml:2: policies[0].resources[0].reservation.objective.shortage_price: NaN is not a price above 1 and at most 10000; with 25 a replica that is missing costs as much as 25 that are there`}},
	{"price with a unit", "prometheus: { url: \"http://x:9090\" }\npolicies: [{ name: web, max: 10, {{T}}, resources: [{ name: cpu, reservation: { objective: { shortage_price: 25x } } }] }]", []string{`a.yml:2: "25x" is not a number`}},
	{"price in quotes", "prometheus: { url: \"http://x:9090\" }\npolicies: [{ name: web, max: 10, {{T}}, resources: [{ name: cpu, reservation: { objective: { shortage_price: \"25\" } } }] }]", []string{`a.yml:2: "25" is not a number, as it is in quotes; write 25 without them`}},
	{"misspelt price", "prometheus: { url: \"http://x:9090\" }\npolicies: [{ name: web, max: 10, {{T}}, resources: [{ name: cpu, reservation: { objective: { shortage_prize: 25 } } }] }]", []string{`a.yml:2: unknown key "shortage_prize"; known here are shortage_price; did you mean shortage_price?`}},
	{"two prices", "prometheus: { url: \"http://x:9090\" }\npolicies: [{ name: web, max: 10, {{T}}, resources: [{ name: cpu, reservation: { objective: { shortage_price: 25, shortage_price: 26 } } }] }]", []string{`a.yml:2: the key "shortage_price" is there twice, first in line 2; keep one`}},
	{"threshold", "prometheus: { url: \"http://x:9090\" }\npolicies: [{ name: web, max: 10, {{T}}, resources: [{ name: cpu, reservation: { threshold: 1e300 } }] }]", []string{"a.yml:2: policies[0].resources[0].reservation.threshold: 1e+300 is not a finite amount of at least 0 and at most 1e+18"}},
	{"capacity", "prometheus: { url: \"http://x:9090\" }\npolicies: [{ name: web, max: 10, {{T}}, resources: [{ name: cpu, capacity_per_replica: 1e300 }] }]", []string{"a.yml:2: capacity_per_replica 1e300 is not a number above 0; write one from 1e-09 to 1e+18"}},
	{"tiny capacity", "prometheus: { url: \"http://x:9090\" }\npolicies: [{ name: web, max: 10, {{T}}, resources: [{ name: cpu, capacity_per_replica: 1e-300 }] }]", []string{"a.yml:2: capacity_per_replica 1e-300 is not a number above 0; write one from 1e-09 to 1e+18"}},
	{"coverage", "prometheus: { url: \"http://x:9090\" }\npolicies: [{ name: web, max: 10, {{T}}, resources: [{ name: cpu, min_coverage: 80 }] }]", []string{"a.yml:2: policies[0].resources[0].min_coverage: 80 is not a share from 0 to 1"}},
	{"window", "prometheus: { url: \"http://x:9090\" }\npolicies: [{ name: web, max: 10, {{T}}, resources: [{ name: cpu, reservation: { schedules: [{ cron: \"0 8 * * *\", duration: 3y, ratio: 0.1 }] } }] }]", []string{`a.yml:2: "3y" is too long; no duration here is longer than 1y`}},
	{"cron", "prometheus: { url: \"http://x:9090\" }\npolicies: [{ name: web, max: 10, {{T}}, resources: [{ name: cpu, reservation: { schedules: [{ cron: \"61 8 * * *\", duration: 1h, ratio: 0.1 }] } }] }]", []string{`a.yml:2: policies[0].resources[0].reservation.schedules[0].cron: "61 8 * * *" is not a cron expression of five fields`}},
	{"budget", "budgets: [{ name: b, policies: ['name=~\".+\"'], max_replicas: 9000000000000 }]\n{{P}}", []string{"a.yml:1: budgets[0].max_replicas: 9000000000000 is not a number of replicas above 0 and at most 1000000000"}},
	{"budget cost", "budgets: [{ name: b, policies: ['name=~\".+\"'], max_cost_per_hour: .inf }]\n{{P}}", []string{"a.yml:1: budgets[0].max_cost_per_hour: +Inf is not a finite price above 0 and at most 1e+12"}},
	{"template", "policy_templates: [{ name: t, max: 2147483647 }]\n{{P}}", []string{"a.yml:1: policy_templates[0].max: 2147483647 is not a number of replicas of at least 1 and at most 1000000"}},
	{"template of 0", "policy_templates: [{ name: t, max: 0 }]\n{{P}}", []string{"a.yml:1: policy_templates[0].max: 0 is not a number of replicas of at least 1 and at most 1000000"}},
	{"target bounds", "policies: [{ name: web, max: 10, targets: [{ name: local, max: 2000000, process: { command: [sh] } }] }]", []string{"a.yml:1: policies[0].targets[0].max: 2000000 is not a number of replicas of at least 0 and at most 1000000"}},
	{"negative target min", "policies: [{ name: web, max: 10, targets: [{ name: local, min: -1, process: { command: [sh] } }] }]", []string{"a.yml:1: policies[0].targets[0].min: -1 is not a number of replicas of at least 0 and at most 1000000"}},
	{"target min above max", "policies: [{ name: web, max: 10, targets: [{ name: local, min: 5, max: 3, process: { command: [sh] } }] }]", []string{"a.yml:1: policies[0].targets[0].min: min 5 and max 3 are not bounds; 0 ≤ min ≤ max, and no max means the policy's"}},
	{"price", "policies: [{ name: web, max: 10, targets: [{ name: local, cost_per_hour: 1e300, process: { command: [sh] } }] }]", []string{"a.yml:1: policies[0].targets[0].cost_per_hour: 1e+300 is not a finite price of at least 0 and at most 1e+09"}},
	{"price in words", "policies: [{ name: web, max: 10, targets: [{ name: local, cost_per_hour: free, process: { command: [sh] } }] }]", []string{`a.yml:1: "free" is not a number`}},
	{"platform number", "policies: [{ name: web, max: 10, targets: [{ name: local, process: { command: [sh], max_replicas: 99999999999 } }] }]", []string{"a.yml:1: policies[0].targets[0].process.max_replicas: 99999999999 is not a number of at least -1000000000 and at most 1000000000"}},
	{"platform duration", "policies: [{ name: web, max: 10, targets: [{ name: local, process: { command: [sh], stop_timeout: 200y } }] }]", []string{"a.yml:1: policies[0].targets[0].process.stop_timeout: 200y is too long; it is at most 1y"}},
	{"platform duration beyond", "policies: [{ name: web, max: 10, targets: [{ name: local, process: { command: [sh], stop_timeout: 300y } }] }]", []string{`a.yml:1: policies[0].targets[0].process.stop_timeout: "300y" is too long; no duration here is longer than 1y`}},
	{"platform no duration", "policies: [{ name: web, max: 10, targets: [{ name: local, process: { command: [sh], stop_timeout: soon } }] }]", []string{`a.yml:1: policies[0].targets[0].process.stop_timeout: "soon" is not a duration; write it as 30s, 5m or 1h30m`}},
	{"drain duration", "policies: [{ name: web, max: 10, targets: [{ name: local, drain: { command: [sh], timeout: 300y }, process: { command: [sh] } }] }]", []string{`a.yml:1: policies[0].targets[0].drain.timeout: "300y" is too long; no duration here is longer than 1y`}},
	{"regular expression", `policies: [{ name: web, max: 10, {{T}}, alerts: { up: ['a=~"(("'] } }]`, []string{`a.yml:1: the regular expression of the matcher a=~"((" is not valid: missing closing )`}},
	{"character class", `policies: [{ name: web, max: 10, {{T}}, alerts: { block_up: ['a=~"[z-a]"'] } }]`, []string{`a.yml:1: the regular expression of the matcher a=~"[z-a]" is not valid: invalid character class range`}},
	{"every name", `policies: [{ name: web, max: 10, {{T}}, alerts: { up: ['alertname=~".*"'] } }]`, []string{`a.yml:1: policies[0].alerts.up: [alertname=~".*"] matches every alert, whatever it is about; name what tells its alerts from others, such as ['scale="up"', 'scale_target="web"']`}},
	{"any name", `policies: [{ name: web, max: 10, {{T}}, alerts: { down: ['alertname=~".+"'] } }]`, []string{`a.yml:1: policies[0].alerts.down: [alertname=~".+"] matches every alert, whatever it is about; name what tells its alerts from others, such as ['scale="up"', 'scale_target="web"']`}},
	{"all but one", `policies: [{ name: web, max: 10, {{T}}, alerts: { up: ['scale!="x"'] } }]`, []string{`a.yml:1: policies[0].alerts.up: [scale!="x"] matches every alert, whatever it is about; name what tells its alerts from others, such as ['scale="up"', 'scale_target="web"']`}},
	{"absent label", `policies: [{ name: web, max: 10, {{T}}, alerts: { up: ['scale=""'] } }]`, []string{`a.yml:1: policies[0].alerts.up: [scale=""] matches every alert, whatever it is about; name what tells its alerts from others, such as ['scale="up"', 'scale_target="web"']`}},
	{"two that are nothing", `policies: [{ name: web, max: 10, {{T}}, alerts: { down: ['alertname!=""', 'scale!~"x|y"'] } }]`, []string{`a.yml:1: policies[0].alerts.down: [alertname!="", scale!~"x|y"] matches every alert, whatever it is about; name what tells its alerts from others, such as ['scale="up"', 'scale_target="web"']`}},
	{"braces", "policies: [{ name: web, max: 10, {{T}}, alerts: { up: ['{}'] } }]", []string{`a.yml:1: "{}" is not a matcher; write it as name="value"`}},
	{"no matchers", "policies: [{ name: web, max: 10, {{T}}, alerts: { up: [] } }]", []string{"a.yml:1: policies[0].alerts.up: no matchers would match every alert; leave the key out for the default"}},
	{"equal", `policies: [{ name: web, max: 10, {{T}}, alerts: { up: ['team="a"'], down: ['team="a"'] } }]`, []string{`a.yml:1: policies[0].alerts.down: an alert with team="a" is matched by up and by down, and would ask for both at once; let one label tell them apart, as scale="up" and scale="down" do`}},
	{"up within down", `policies: [{ name: web, max: 10, {{T}}, alerts: { up: ['team="a"', 'x="y"'], down: ['team="a"'] } }]`, []string{`policies[0].alerts.down: an alert with team="a", x="y" is matched by up and by down, and would ask for both at once; let one label tell them apart, as scale="up" and scale="down" do`}},
	{"overlap", `policies: [{ name: web, max: 10, {{T}}, alerts: { up: ['scale=~"up|both"'], down: ['scale=~"both|down"'] } }]`, []string{`policies[0].alerts.down: an alert with scale="both" is matched by up and by down, and would ask for both at once; let one label tell them apart, as scale="up" and scale="down" do`}},
	{"any scale", `policies: [{ name: web, max: 10, {{T}}, alerts: { up: ['scale=~".*"', 'scale_target="web"'] } }]`, []string{`policies[0].alerts.down: an alert with scale="down", scale_target="web" is matched by up and by down, and would ask for both at once; let one label tell them apart, as scale="up" and scale="down" do`}},
	{"blocks itself", `policies: [{ name: web, max: 10, {{T}}, alerts: { block_up: ['scale="up"'] } }]`, []string{`a.yml:1: policies[0].alerts.block_up: [scale="up"] matches every alert that up does, so that each would block itself`}},
	{"blocks always", `policies: [{ name: web, max: 10, {{T}}, alerts: { block_down: ['alertname=~".*"'] } }]`, []string{`policies[0].alerts.block_down: [alertname=~".*"] matches every alert, whatever it is about; name what tells its alerts from others, such as ['scale="up"', 'scale_target="web"']`}},
	{"mapping for a matcher", "policies: [{ name: web, max: 10, {{T}}, alerts: { up: [scale: up] } }]", []string{`a.yml:1: a mapping is not a matcher; write it as name="value"`}},
	{"text for a list", "policies: [{ name: web, max: 10, {{T}}, alerts: { up: scale } }]", []string{`a.yml:1: matchers are a list such as ['scale="up"', 'scale_target="web"']`}},
	{"unknown list", "policies: [{ name: web, max: 10, {{T}}, alerts: { ups: [] } }]", []string{`a.yml:1: unknown key "ups"; known here are block_down, block_up, down, up; did you mean up?`}},
	{"top key", "polices: []", []string{`a.yml:1: unknown key "polices"; known here are alertmanager, budgets, discovery, global, policies, policy_templates, prometheus; did you mean policies?`}},
	{"key of a policy", "policies: [{ name: web, max: 10, {{T}}, replica: 3 }]", []string{`a.yml:1: unknown key "replica"; known here are alert_step, alerts, evaluation_interval, max, `}},
	{"key of a platform", "policies: [{ name: web, max: 10, targets: [{ name: local, process: { comand: [sh] } }] }]", []string{`a.yml:1: unknown key "comand"; known here are `, ", command, ", "; did you mean command?"}},
	{"key below", "policies: [{ name: web, max: 10, targets: [{ name: local, process: { command: [sh], ready: { http_pat: / } } }] }]", []string{`a.yml:1: unknown key "http_pat"; known here are http_path, interval, timeout; did you mean http_path?`}},
	{"unknown platform", "policies: [{ name: web, max: 10, targets: [{ name: local, procss: { command: [sh] } }] }]", []string{`a.yml:1: policies[0].targets[0].procss: unknown key or platform "procss"; a target has name, `}},
	{"key of a library", "prometheus: { url: \"http://x:9090\", basic_auth: { username: a, pasword: b } }\n{{P}}", []string{`a.yml:1: unknown key "pasword"; known here are password, password_file`, "; did you mean password?"}},
	{"key twice", "policies: [{ name: web, name: api, max: 10, {{T}} }]", []string{`a.yml:1: the key "name" is there twice, first in line 1; keep one`}},
	{"policy twice", "policies:\n  - { name: web, max: 10, {{T}} }\n  - { name: web, max: 10, {{T}} }", []string{`a.yml:3: policies[1].name: "web" is the name of policies[0] already; names are unique`}},
	{"target twice", "policies:\n  - name: web\n    max: 10\n    targets:\n      - { name: a, process: { command: [sh] } }\n      - { name: a, process: { command: [sh] } }", []string{`a.yml:6: policies[0].targets[1].name: "a" is a target of this policy already; names are unique`}},
	{"no name", "policies: [{ max: 10, {{T}} }]", []string{"a.yml:1: policies[0].name: is missing"}},
	{"name with a space", "policies: [{ name: my web, max: 10, {{T}} }]", []string{`a.yml:1: policies[0].name: "my web" is not a name; names begin with a letter or digit`}},
	{"duration number", "global: { evaluation_interval: 15 }\n{{P}}", []string{`a.yml:1: "15" is not a duration; write it as 30s, 5m or 1h30m`}},
	{"duration negative", "global: { evaluation_interval: -15s }\n{{P}}", []string{`a.yml:1: "-15s" is not a duration; write it as 30s, 5m or 1h30m`}},
	{"duration fraction", "global: { evaluation_interval: 1.5m }\n{{P}}", []string{`a.yml:1: "1.5m" is not a duration; write it as 30s, 5m or 1h30m`}},
	{"duration space", "global: { evaluation_interval: 15 s }\n{{P}}", []string{`a.yml:1: "15 s" is not a duration; write it as 30s, 5m or 1h30m`}},
	{"duration words", "global: { evaluation_interval: soon }\n{{P}}", []string{`a.yml:1: "soon" is not a duration; write it as 30s, 5m or 1h30m`}},
	{"empty duration", "global: { evaluation_interval: \"\" }\n{{P}}", []string{`a.yml:1: "" is not a duration; write it as 30s, 5m or 1h30m`}},
	{"list of durations", "global: { evaluation_interval: [15s] }\n{{P}}", []string{"a.yml:1: a list is not a duration; write it as 30s, 5m or 1h30m"}},
	{"two years", "global: { alert_ttl: 2y }\n{{P}}", []string{`a.yml:1: "2y" is too long; no duration here is longer than 1y`}},
	{"endless", "global: { alert_ttl: 99999999999999999999s }\n{{P}}", []string{`a.yml:1: "99999999999999999999s" is too long; no duration here is longer than 1y`}},
	{"two days", "global: { evaluation_interval: 2d }\n{{P}}", []string{"a.yml:1: global.evaluation_interval: 2d is too long; it is at most 1d"}},
	{"no interval of a policy", "policies: [{ name: web, max: 10, evaluation_interval: 0s, {{T}} }]", []string{"a.yml:1: policies[0].evaluation_interval: must be longer than 0s"}},
	{"two days of a policy", "policies: [{ name: web, max: 10, evaluation_interval: 2d, {{T}} }]", []string{"a.yml:1: policies[0].evaluation_interval: 2d is too long; it is at most 1d"}},
	{"number for the interval of a policy", "policies: [{ name: web, max: 10, evaluation_interval: 15, {{T}} }]", []string{`a.yml:1: "15" is not a duration; write it as 30s, 5m or 1h30m`}},
	{"no interval of a template", "policy_templates: [{ name: t, evaluation_interval: 0s }]\n{{P}}", []string{"a.yml:1: policy_templates[0].evaluation_interval: must be longer than 0s"}},
	{"none", "global: { evaluation_interval: 0s }\n{{P}}", []string{"a.yml:1: global.evaluation_interval: must be longer than 0s"}},
	{"mode in capitals", "global: { mode: On }\n{{P}}", []string{`a.yml:1: global.mode: "On" is not a mode; the modes are on, only_scale_up and off`}},
	{"mode that is true", "global: { mode: true }\n{{P}}", []string{`a.yml:1: global.mode: "true" is not a mode; the modes are on, only_scale_up and off`}},
	{"guard in percent", "global: { fleet_guard: 30% }\n{{P}}", []string{`a.yml:1: "30%" is not a number`}},
	{"guard without end", "global: { fleet_guard: .inf }\n{{P}}", []string{"a.yml:1: global.fleet_guard: +Inf is not a share above 0 and at most 1; 1 switches the guard off"}},
	{"timeout of a day", "prometheus: { url: \"http://x:9090\", timeout: 1d }\n{{P}}", []string{"a.yml:1: prometheus.timeout: 1d is too long; it is at most 1h"}},
	{"tls version", "prometheus: { url: \"http://x:9090\", tls_config: { min_version: TLS99 } }\n{{P}}", []string{"a.yml:1: prometheus.tls_config.min_version: unknown TLS version: TLS99"}},
	{"half a certificate", "prometheus: { url: \"http://x:9090\", tls_config: { cert_file: a.pem } }\n{{P}}", []string{"a.yml:1: prometheus.tls_config: exactly one of key or key_file must be configured when a client certificate is configured"}},
	{"proxy", "prometheus: { url: \"http://x:9090\", proxy_url: \"http://u:s3cret@:x\" }\n{{P}}", []string{`a.yml:1: prometheus.proxy_url: "<secret>@:x" is not a URL; write it as http://host:port`}},
	{"two passwords", "prometheus: { url: \"http://x:9090\", basic_auth: { username: a, password: b, password_file: /x } }\n{{P}}", []string{"a.yml:1: prometheus: at most one of basic_auth password, password_file & password_ref must be configured"}},
	{"header", "prometheus: { url: \"http://x:9090\", http_headers: { Host: { values: [x] } } }\n{{P}}", []string{`a.yml:1: prometheus: setting header "Host" is not allowed`}},
	{"secret for a mapping", "prometheus: { url: \"http://x:9090\", basic_auth: \"s3cret\" }\n{{P}}", []string{"a.yml:1: <secret> is not a mapping of keys; write key: value"}},
	{"secret for authorization", "prometheus: { url: \"http://x:9090\", authorization: Bearer s3cret }\n{{P}}", []string{"a.yml:1: <secret> is not a mapping of keys"}},
	{"no boolean", "prometheus: { url: \"http://x:9090\", follow_redirects: maybe }\n{{P}}", []string{`a.yml:1: "maybe" is not true or false`}},
	{"scheme", "prometheus: { url: \"ftp://x:9090\" }\n{{P}}", []string{`a.yml:1: "ftp://x:9090" is not a URL; write it as http://host:port or https://host:port/prefix`}},
	{"password in a bad URL", "prometheus: { url: \"http://u:s3cret@[::1\" }\n{{P}}", []string{`a.yml:1: "<secret>@[::1" is not a URL`}},
	{"token in a bad URL", "prometheus: { url: \"htp://x/?token=s3cret\" }\n{{P}}", []string{`a.yml:1: "htp://x/?token=<secret>" is not a URL`}},
	{"list for a URL", "prometheus: { url: [x] }\n{{P}}", []string{"a.yml:1: a list is not a URL; write it as http://host:port"}},
	{"URL for a section", "prometheus: http://x:9090\n{{P}}", []string{`a.yml:1: "http://x:9090" is not a mapping of keys; write key: value, a line each, or { key: value }`}},
	{"resync", "alertmanager: { url: \"http://x:9093\", resync_interval: 2h }\n{{P}}", []string{"a.yml:1: alertmanager.resync_interval: 2h0m0s is not shorter than global.alert_ttl 1h0m0s"}},
	{"tab before an entry", "policies:\n\t- name: web", []string{"a.yml:2: the line is indented by a tab; indent by spaces"}},
	{"tab before a key", "policies:\n  - name: web\n\tmax: 10", []string{"a.yml:3: the line is indented by a tab; indent by spaces"}},
	{"open list", "policies: [{ name: web", []string{"a mapping that begins with { goes on with neither ',' nor '}'"}},
	{"wrong bracket", "policies: [{ name: web ]", []string{"a.yml:1: a mapping that begins with { goes on with neither ',' nor '}'; is one of them missing"}},
	{"open quote", `policies: "web`, []string{"a.yml:1: a quote is opened here and not closed"}},
	{"backslash", "policies:\n  - name: \"\\q\"", []string{"a.yml:2: a text in double quotes has a backslash"}},
	{"at sign", "policies:\n  - name: @web", []string{"a.yml:2: a value begins with a character that YAML keeps for itself, such as @, ` or %; put it in quotes"}},
	{"colon", "policies:\n  - name: a: b", []string{"a.yml:2: mapping values are not allowed in this context; text with ': ' in it needs quotes"}},
	{"indentation", "policies:\n  - name: web\n   max: 10", []string{"look at the indentation"}},
	{"NUL", "policies: {{NUL}}", []string{"a.yml:1: the control character 0x00 is no text; take it out"}},
	{"latin-1", "global: {}\npolicies: \"{{BAD}}\"", []string{"a.yml:2: the byte 0xff is not UTF-8; save the file as UTF-8"}},
	{"only a comment", "# nothing", []string{"a.yml: the file is empty; at least one policy is needed"}},
	{"empty", "", []string{"a.yml: the file is empty; at least one policy is needed"}},
	{"byte order mark alone", "{{BOM}}", []string{"a.yml: the file is empty; at least one policy is needed"}},
	{"null", "~", []string{"a.yml:1: policies: at least one policy is needed, or a discovery"}},
	{"text", "just text", []string{`a.yml:1: "just text" is not a mapping of keys; write key: value`}},
	{"list at the top", "[]", []string{"a.yml:1: a list is not a mapping of keys"}},
	{"no policies", "policies: []", []string{"a.yml:1: policies: at least one policy is needed, or a discovery"}},
	{"mapping of policies", "policies:\n  web:\n    max: 3", []string{`a.yml:2: a mapping is not a list; begin the line of each entry with "- ", or write [one, two]`}},
	{"text for policies", "policies: web", []string{`a.yml:1: "web" is not a list; begin the line of each entry with "- ", or write [one, two]`}},
	{"text for a policy", "policies: [web]", []string{`a.yml:1: "web" is not a mapping of keys`}},
	{"null policy", "policies: [~]", []string{"a.yml:1: policies[0]: the policy is empty"}},
	{"two documents", "{{P}}---\n{{P}}", []string{"a.yml:5: only one YAML document is allowed in the file; take out what follows the line ---"}},
	{"version", "%YAML 1.3\n---\n{{P}}", []string{"a.yml:1: the directive %YAML names another version; leave it out"}},
	{"unknown anchor", "policies: [*nobody]", []string{"a.yml:1: *nobody refers to nothing; write &nobody before what it means"}},
	{"anchor of its own", "policies: &a [*a]", []string{"a.yml:1: "}},
	{"anchor of another type", "policies: &p [{ name: web, max: 10, {{T}} }]\nbudgets: *p", []string{`unknown key "max"; known here are max_cost_per_hour, max_replicas, name, policies`}},
	{"keys by the way", "x-base: &b { max: 10 }\npolicies: [{ <<: *b, name: web, {{T}} }]", []string{`a.yml:1: unknown key "x-base"; known here are `}},
	{"merged fraction", "policies:\n  - &b { name: web, max: 2.5, {{T}} }\n  - { <<: *b, name: api }", []string{"a.yml:2: policies[0].max: 2.5 is not a whole number", "a.yml:2: policies[1].max: 2.5 is not a whole number"}},
	{"merged scalar", "policies: [{ <<: 3, name: web, max: 10, {{T}} }]", []string{"a.yml:1: policies[0]: << takes a mapping, or a list of them"}},
	{"command as text", "policies: [{ name: web, max: 10, targets: [{ name: local, process: { command: sh } }] }]", []string{`a.yml:1: "sh" is not a list; begin the line of each entry with "- ", or write [one, two]`}},
	{"no platform keys", "policies: [{ name: web, max: 10, targets: [{ name: local, process: }] }]", []string{"a.yml:1: policies[0].targets[0].process: the platform has no keys"}},
	{"two platforms", "policies: [{ name: web, max: 10, targets: [{ name: local, process: { command: [sh] }, docker_service: { name: x } }] }]", []string{"a.yml:1: policies[0].targets[0]: a target has exactly one platform, this one has 2"}},
	{"targets as a mapping", "policies: [{ name: web, max: 10, targets: { name: local } }]", []string{`a.yml:1: a mapping is not a list; begin the line of each entry with "- "`}},
	{"drain program", "policies: [{ name: web, max: 10, targets: [{ name: local, drain: { command: [/nowhere/x] }, process: { command: [sh] } }] }]", []string{`a.yml:1: policies[0].targets[0].drain.command: program "/nowhere/x" cannot be run: stat /nowhere/x: no such file or directory`}},
	{"bytes", "policies: [{ name: web, max: 10, targets: [{ name: local, process: { command: [sh], capacity: { memory: 3XB } } }] }]", []string{`a.yml:1: policies[0].targets[0].process.capacity.memory: "3XB" is not a number of bytes, as 134217728 or 128MiB are`}},
	{"variables as a list", "policies: [{ name: web, max: 10, targets: [{ name: local, process: { command: [sh], env: [A=s3cret] } }] }]", []string{"a.yml:1: a list is not a mapping of keys"}},
}

func TestRefusals(t *testing.T) {
	const targets = `targets: [{ name: local, process: { command: [sh] } }]`
	fill := strings.NewReplacer("{{T}}", targets, "{{P}}", "policies:\n  - name: web\n    max: 10\n    "+targets+"\n",
		"{{NUL}}", "\x00", "{{BAD}}", "\xff", "{{BOM}}", "\ufeff")
	for _, test := range refusals {
		t.Run(strings.ReplaceAll(test.name, " ", "_"), func(t *testing.T) {
			t.Parallel()
			_, err := config.Load("a.yml", []byte(fill.Replace(test.text)), install.Registry())
			if err == nil {
				t.Fatalf("accepted:\n%s", test.text)
			}
			for _, want := range test.wants {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("it says\n%s\nand not\n%s", err, want)
				}
			}
			for _, never := range []string{"unmarshal", "!!str", "!!int", "s3cret", "plain", "yaml:", "runtime error"} {
				if strings.Contains(err.Error(), never) && !strings.Contains(test.text, "!!") {
					t.Errorf("it says %q:\n%s", never, err)
				}
			}
		})
	}
}

// TestAccepted: what is large, unusual or written in another way and means
// something is valid.
func TestAccepted(t *testing.T) {
	const targets = `targets: [{ name: local, process: { command: [sh] } }]`
	good := "policies:\n  - name: web\n    max: 10\n    " + targets + "\n"
	for name, text := range map[string]string{
		"a hundred thousand replicas": "policies: [{ name: web, min: 100000, max: 1000000, " + targets + " }]",
		"underscores":                 "policies: [{ name: web, max: 1_000, " + targets + " }]",
		"by exponent":                 "policies: [{ name: web, max: 1e3, " + targets + " }]",
		"byte order mark":             "\ufeff" + good,
		"carriage returns":            strings.ReplaceAll(good, "\n", "\r\n"),
		"merge":                       "policies:\n  - &b { name: web, max: 10, " + targets + " }\n  - { <<: *b, name: api }\n",
		"names of alerts":             "policies: [{ name: web, max: 10, " + targets + ", alerts: { up: ['alertname=\"Busy\"'], down: ['alertname=\"Idle\"'] } }]",
		"one list":                    "policies: [{ name: web, max: 10, " + targets + ", alerts: { up: ['alertname=\"Busy\"'] } }]",
		"expressions":                 "policies: [{ name: web, max: 10, " + targets + ", alerts: { up: ['alertname=~\"Up.*\"'], down: ['alertname=~\"Down.*\"'] } }]",
		"all but the other":           "policies: [{ name: web, max: 10, " + targets + ", alerts: { up: ['scale_target=\"web\"', 'scale!=\"down\"'] } }]",
		"a year":                      "global: { alert_ttl: 1y }\n" + good,
		"mode off":                    "global: { mode: off }\n" + good,
	} {
		if _, err := config.Load("a.yml", []byte(text), install.Registry()); err != nil {
			t.Errorf("%s: %s", name, err)
		}
	}
}

// TestBombs: what would be too large or too deep is refused, and in words.
func TestBombs(t *testing.T) {
	var b strings.Builder
	b.WriteString("a: &a [x,x,x,x,x,x,x,x,x]\n")
	for c := 'b'; c <= 'j'; c++ {
		before := string(c - 1)
		b.WriteString(string(c) + ": &" + string(c) + " [" + strings.Repeat("*"+before+",", 9) + "]\n")
	}
	aliases := b.String()
	for name, test := range map[string]struct{ text, want string }{
		"aliases":             {aliases, "unknown key"},
		"aliases of policies": {strings.Replace(aliases, "j: &j", "policies:", 1), ""},
		"deep":                {"policies: " + strings.Repeat("[", 20000), "nested deeper than 10000 levels"},
		"deep and closed":     {"policies: " + strings.Repeat("[", 5000) + strings.Repeat("]", 5000), "a list is not a mapping of keys"},
	} {
		_, err := config.Load("a.yml", []byte(test.text), install.Registry())
		if err == nil || !strings.Contains(err.Error(), test.want) || strings.Contains(err.Error(), "yaml:") {
			t.Errorf("%s: %.300s", name, err)
		}
	}
}
