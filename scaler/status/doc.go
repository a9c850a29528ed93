// Package status owns what the API shows of a policy, of its targets and of its
// part in budgets: the engine fills it in, the webhook's server writes it as
// JSON, and scalertool reads that. It holds no logic, so that a field is added
// in one place. Values are only read once they are filled in.
package status
