// Alerts on Alertscaler itself. All of them have a section in runbook.md.
local promql = import '../lib/promql.libsonnet';

{
  local config = $._config,
  local s = { selector: config.alertscalerSelector, flapping: config.flappingActionsPerHour, fleetGuard: promql.amount(config.fleetGuard) },

  local alert(name, severity, for_, expr, summary, description) = {
    alert: name,
    expr: expr % s,
    'for': for_,
    labels: { severity: severity },
    annotations: {
      summary: summary,
      description: description,
      runbook_url: config.runbookURLPattern % std.asciiLower(name),
    },
  },

  prometheusAlerts+:: {
    groups+: [
      {
        name: 'alertscaler.alerts',
        interval: config.evaluationInterval,
        rules: [
          alert(
            'AlertscalerDown',
            'critical',
            '2m',
            |||
              absent(up{%(selector)s} == 1)
            |||,
            'No Alertscaler can be scraped.',
            'No Alertscaler has been scraped for two minutes. Nothing scales until it is back.'
          ),
          alert(
            'AlertscalerConfigReloadFailed',
            'warning',
            '5m',
            |||
              # Without max_over_time, a failed scrape could end the alert.
              max_over_time(alertscaler_config_last_reload_successful{%(selector)s}[5m]) == 0
            |||,
            'Alertscaler could not load its configuration.',
            '{{ $labels.instance }} could not load its configuration and goes on with the one before.'
          ),
          alert(
            'AlertscalerLedgerNotWritable',
            'critical',
            '1m',
            |||
              # Without max_over_time, a failed scrape could end the alert.
              max_over_time(alertscaler_ledger_last_write_successful{%(selector)s}[2m]) == 0
            |||,
            'Alertscaler cannot write its ledger, so it scales nothing.',
            '{{ $labels.instance }} has not been able to write its ledger for two minutes. It asks no platform for anything, and takes no alerts in, until it can.'
          ),
          alert(
            'AlertscalerAtMaxWhileScaleUp',
            'critical',
            '10m',
            |||
              (
                  max by (policy) (alertscaler_policy_replicas{%(selector)s, kind="requested"})
                >=
                  max by (policy) (alertscaler_policy_replicas{%(selector)s, kind="max"})
              )
              and on (policy)
              max by (policy) (alertscaler_alerts_active{%(selector)s, direction="up"}) > 0
            |||,
            'A policy is at its maximum and still asked for more.',
            'Policy {{ $labels.policy }} has had its maximum of {{ $value }} replicas for ten minutes while an alert asks for more.'
          ),
          alert(
            'AlertscalerBudgetLimited',
            'warning',
            '10m',
            |||
              max by (policy, budget) (alertscaler_policy_budget_cut_replicas{%(selector)s}) > 0
            |||,
            'A budget keeps a policy from the replicas it needs.',
            'Budget {{ $labels.budget }} has kept policy {{ $labels.policy }} from {{ $value }} more replicas for ten minutes.'
          ),
          alert(
            'AlertscalerFleetHeld',
            'warning',
            '2m',
            |||
              # Blocked downwards within the last five minutes: at least three
              # policies, and more than fleet_guard of all.
              (
                  count by (job) (sum by (job, policy) (increase(alertscaler_decisions_total{%(selector)s, direction="down", reason="blocked"}[5m])) > 0)
                >= 3
              )
              and on (job)
              (
                  count by (job) (sum by (job, policy) (increase(alertscaler_decisions_total{%(selector)s, direction="down", reason="blocked"}[5m])) > 0)
                > %(fleetGuard)s *
                  count by (job) (count by (job, policy) (alertscaler_policy_replicas{%(selector)s, kind="min"}))
              )
            |||,
            'Many policies want fewer replicas at once.',
            '{{ $value }} policies want fewer replicas and are blocked. Either all are idle, or what their usage is read from is broken.'
          ),
          alert(
            'AlertscalerActionsFailing',
            'warning',
            '5m',
            |||
              # no_op and throttled are no failures: nothing was lost.
              sum by (policy, target) (increase(alertscaler_action_failures_total{%(selector)s, reason!~"no_op|throttled"}[30m]))
              > 0.5 *
              sum by (policy, target) (increase(alertscaler_actions_total{%(selector)s}[30m]))
            |||,
            'Most scaling actions of a target fail.',
            'More than half of the actions on target {{ $labels.target }} of policy {{ $labels.policy }} failed in the last half hour.'
          ),
          alert(
            'AlertscalerNotConverging',
            'warning',
            config.notConvergingFor,
            |||
              max by (policy, target) (alertscaler_target_replicas{%(selector)s, kind="requested"})
              - max by (policy, target) (alertscaler_target_replicas{%(selector)s, kind="ready"})
              # Who is drained is not ready, and on purpose.
              - (
                  max by (policy, target) (alertscaler_target_draining_replicas{%(selector)s})
                  or
                  0 * max by (policy, target) (alertscaler_target_replicas{%(selector)s, kind="requested"})
                )
              > 0
            |||,
            'Requested replicas do not become ready.',
            'Target {{ $labels.target }} of policy {{ $labels.policy }} has been {{ $value }} ready replicas short of what was requested for %s.' % config.notConvergingFor
          ),
          alert(
            'AlertscalerFlapping',
            'warning',
            '5m',
            |||
              (
                  sum by (policy) (increase(alertscaler_actions_total{%(selector)s, direction="up"}[1h]))
                >= %(flapping)d
              )
              and on (policy)
              (
                  sum by (policy) (increase(alertscaler_actions_total{%(selector)s, direction="down"}[1h]))
                >= %(flapping)d
              )
            |||,
            'A policy scales up and down in turn.',
            'Policy {{ $labels.policy }} went up and down at least %d times each within an hour.' % config.flappingActionsPerHour
          ),
          alert(
            'AlertscalerContested',
            'warning',
            '1m',
            |||
              max by (policy) (alertscaler_policy_contested{%(selector)s}) > 0
            |||,
            'Someone else keeps undoing what a policy asks for.',
            'What policy {{ $labels.policy }} asked of a target was taken back three times within ten minutes, so it is held until nobody else changes the target for ten minutes.'
          ),
          alert(
            'AlertscalerTargetUnreadable',
            'critical',
            '5m',
            |||
              # Not a number: the platform does not say.
              max by (policy, target) (alertscaler_target_replicas{%(selector)s, kind="requested"})
              unless
              max by (policy, target) (alertscaler_target_replicas{%(selector)s, kind="requested"}) >= 0
            |||,
            'A target cannot be read.',
            'How many replicas target {{ $labels.target }} of policy {{ $labels.policy }} has could not be read for five minutes. The policy scales nothing meanwhile.'
          ),
          alert(
            'AlertscalerUsageDataMissing',
            'warning',
            '5m',
            |||
              # Not a number: there is no usable reading. Where the target
              # itself cannot be read, AlertscalerTargetUnreadable says so.
              (
                max by (policy, resource) (alertscaler_policy_usage{%(selector)s})
                unless
                max by (policy, resource) (alertscaler_policy_usage{%(selector)s}) >= 0
              )
              and on (policy)
              max by (policy) (alertscaler_policy_replicas{%(selector)s, kind="requested"}) >= 0
            |||,
            'A policy cannot tell what its target uses.',
            'Policy {{ $labels.policy }} has had no usable reading of {{ $labels.resource }} for five minutes. Meanwhile it does not scale down by what it uses.'
          ),
          alert(
            'AlertscalerWebhookRejected',
            'warning',
            '5m',
            |||
              sum by (code) (increase(alertscaler_webhook_requests_total{%(selector)s, code=~"[45].."}[15m])) > 0
            |||,
            'Alertscaler refuses notifications.',
            'Alertscaler answered notifications with {{ $labels.code }} in the last fifteen minutes. The alerts in them do not scale anything.'
          ),
          alert(
            'AlertscalerAlertsRefused',
            'warning',
            '5m',
            |||
              # Alerts that speak for no policy are the first to go, and nobody
              # misses them.
              sum by (reason) (increase(alertscaler_alerts_refused_total{%(selector)s, reason!="unmatched"}[15m])) > 0
            |||,
            'Alertscaler has no room for alerts that speak for a policy.',
            'Alertscaler refused alerts in the last fifteen minutes ({{ $labels.reason }}). They do not scale anything.'
          ),
          alert(
            'AlertscalerAlertsUnlisted',
            'warning',
            '15m',
            |||
              sum(increase(alertscaler_alerts_unlisted_total{%(selector)s}[10m])) > 0
            |||,
            'Alertscaler is notified of alerts that its Alertmanager does not know.',
            'For fifteen minutes Alertscaler has been notified of alerts that the Alertmanager at alertmanager.url does not list. They do not scale anything.'
          ),
          alert(
            'AlertscalerSourcesCollide',
            'warning',
            '5m',
            |||
              count by (scale_target) (scale_target_source:replicas_reporting:count) > 1
            |||,
            'Two sources report the same scale_target.',
            '{{ $labels.scale_target }} is reported by {{ $value }} sources, so that nothing is recorded for it. Give them different names, or turn one off.'
          ),
        ],
      },
    ],
  },
}
