package export

import "github.com/prometheus/client_golang/prometheus"

var (
	descPolicyReplicas = desc("policy_replicas", "Replicas of a policy over all its targets; recommended is the raw need, desired what is left of it after every limit. NaN while unknown.", "policy", "kind")
	descTargetReplicas = desc("target_replicas", "Replicas of one target as last read. NaN while unknown.", "policy", "target", "kind")
	descUsage          = desc("policy_usage", "What all replicas of a policy use together, in the resource's unit. NaN while unknown.", "policy", "resource")
	descReserved       = desc("policy_reserved", "What each entry of a policy's reservations keeps free, in the resource's unit; the largest counts. NaN while unknown.", "policy", "resource", "entry")
	descObjective      = desc("policy_objective_ratio", "Share of the time that capacity of the resource must suffice, as configured.", "policy", "resource")
	descShortagePrice  = desc("policy_objective_shortage_price", "What a replica that is missing for want of the resource costs, in replicas that are there: as configured, or 1 ÷ (1 - share) for a share of the time.", "policy", "resource")
	descUnderCapacity  = desc("policy_objective_under_capacity_ratio", "Share of the time that there was too little of the resource, of the last day above all. NaN while unknown.", "policy", "resource")
	descLostDemand     = desc("policy_objective_lost_demand_ratio", "Share of the demand for the resource that found no capacity, of the last day above all. NaN while unknown.", "policy", "resource")
	descObservations   = desc("policy_objective_observations_total", "Samples that what a resource's objective keeps free was learnt from, those of earlier runs and of the past in Prometheus included.", "policy", "resource")
	descUsageAge       = desc("policy_usage_age_seconds", "Age of the sample behind the last usage reading. NaN while unknown.", "policy", "resource")
	descDecisions      = desc("decisions_total", "Evaluations by where the alerts pointed and the reason of their outcome.", "policy", "direction", "reason")
	descActions        = desc("actions_total", "Requests to a target for another number of replicas, failed ones included.", "policy", "target", "direction")
	descFailures       = desc("action_failures_total", "Requests to a target that failed, or whose replicas were not ready in time.", "policy", "target", "reason")
	descCooldown       = desc("cooldown_until_timestamp_seconds", "When the cooldown of a direction ends or ended; 0 where none has run.", "policy", "direction")
	descBackoff        = desc("target_backoff_until_timestamp_seconds", "Until when a target that failed is not asked for more, or for fewer; 0 where it may be.", "policy", "target", "direction")
	descProvisioning   = desc("target_provisioning_seconds", "Moving estimate of how long a replica of a target takes to become ready, or its provisioning_time until that was measured. NaN where neither is known.", "policy", "target")
	descLoss           = desc("target_loss_ratio", "Share of a target's replicas that failed or were lost within the last day, loss_ratio counting as ten of them.", "policy", "target")
	descProvisioned    = desc("provisioning_duration_seconds", "From the platform's consent to a scale-up until the replicas were ready.", "policy", "target")
	descForeign        = desc("foreign_changes_total", "Changes of a target's replicas that someone else made.", "policy", "target")
	descDrains         = desc("drains_total", "Replicas that were to finish their work before they go, by what became of it.", "policy", "target", "result")
	descDraining       = desc("target_draining_replicas", "Replicas that are to go and take no more work; they do not count as ready.", "policy", "target")
	descProblems       = desc("usage_problems_total", "Readings of usage that could not be used, by what was wrong with them.", "policy", "resource", "problem")
	descPaused         = desc("policy_paused", "1 while an operator has paused the policy, else 0.", "policy")
	descContested      = desc("policy_contested", "1 while the policy is held because someone else keeps undoing what it asks for, else 0.", "policy")
	descCut            = desc("policy_budget_cut_replicas", "Replicas that a budget took from the policy's last decision; a cut in cost counts as at least one.", "policy", "budget")
	descBudget         = desc("budget_replicas", "Replicas of all policies of a budget together, and its limit; +Inf where it sets none.", "budget", "kind")
	descBudgetCost     = desc("budget_cost_per_hour", "What the policies of a budget cost together, and its limit; +Inf where it sets none.", "budget", "kind")
	descSafe           = desc("safe_to_autoscale", "1 while every policy can read its targets and the usage it decides by and the ledger can be written, else 0.")
)

func desc(name, help string, labels ...string) *prometheus.Desc {
	return prometheus.NewDesc("alertscaler_"+name, help, labels, nil)
}

func descriptions() []*prometheus.Desc {
	return []*prometheus.Desc{
		descPolicyReplicas, descTargetReplicas, descUsage, descReserved, descObjective, descShortagePrice, descUnderCapacity, descLostDemand, descObservations, descUsageAge, descDecisions,
		descActions, descFailures, descCooldown, descBackoff, descProvisioning, descProvisioned, descLoss, descForeign,
		descDrains, descDraining, descProblems, descPaused, descContested, descCut, descBudget, descBudgetCost, descSafe,
	}
}
