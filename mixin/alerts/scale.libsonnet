// The alerts that scale. They are wake-ups with a direction: how far to go is
// for Alertscaler to work out. They have no severity and are nobody's page.
local promql = import '../lib/promql.libsonnet';
local source = import '../lib/source.libsonnet';

{
  local config = $._config,

  local labels(direction) = { scale: direction } + config.scaleAlertLabels,

  // kept is usage * ratio / (1 - ratio), at least the threshold, of one
  // resource, or of all that have no entry of their own.
  local own = [r for r in std.objectFields(config.reservation) if r != 'default'],
  local kept(selector, r) =
    assert r.ratio >= 0 && r.ratio < 1 : 'a reservation ratio must be at least 0 and less than 1';
    assert r.threshold >= 0 : 'a reservation threshold must not be negative';
    local usage = 'scale_target_resource:usage:sum' + if selector == '' then '' else '{%s}' % selector;
    local share = '%s * %s / (1 - %s)' % [usage, promql.amount(r.ratio), promql.amount(r.ratio)];
    if r.threshold == 0 then share else 'clamp_min(%s, %s)' % [share, promql.amount(r.threshold)],

  // given is the configured series with the labels scale_target and resource,
  // for what is recorded at all.
  local given =
    if config.reservedSeries == null then []
    else if config.reservedSeries == 'alertscaler_policy_reserved' then [
      promql.call(
        'max by (scale_target, resource)',
        'label_replace(alertscaler_policy_reserved{%s} >= 0, "scale_target", "$1", "policy", "(.+)")' % config.alertscalerSelector,
      ),
      'and on (scale_target, resource)',
      'scale_target_resource:usage:sum',
      'or on (scale_target, resource)',
    ] else if config.reservedSeries == 'scale_target_resource:reserved:objective' then [
      // It goes with the usage, which goes for a moment with many a scale-up,
      // and comes back one evaluation of another group later. The ratio is not
      // meant to stand in for that.
      assert config.objective.enabled : 'reservedSeries is recorded by nothing: objective.enabled is false';
      'max by (scale_target, resource) (last_over_time(scale_target_resource:reserved:objective[%ds]) >= 0)'
      % (4 * promql.seconds(config.evaluationInterval)),
      'or on (scale_target, resource)',
    ] else [
      'max by (scale_target, resource) (%s >= 0)' % config.reservedSeries,
      'or on (scale_target, resource)',
    ],

  // series is a recorded series, of what is to be scaled at all.
  local series(name) =
    name + if config.scaleSelector == '' then '' else '{%s}' % config.scaleSelector,

  // above fires where usage and what must stay free exceed the capacity.
  local above(usage) = |||
    %s + scale_target_resource:reserved:max
    >
    scale_target_resource:capacity:sum
  ||| % series(usage),

  // scaleUp are what must stay free, and the alert that holds it against the
  // capacity, for the targets of one source, or of all.
  scaleUp(name=null):: [
    {
      // What must stay free. Recorded here, so that the alerts below
      // hold the same usage against it from which it was made. A series
      // from elsewhere is made of a usage up to one interval older, and
      // the sum is off by what came or went in it. It holds no alert up:
      // usage and capacity are of this evaluation.
      record: 'scale_target_resource:reserved:max',
      expr: source.onlyOf(name, promql.lines(given + std.join(['or'], [
        [kept('resource="%s"' % r, config.reservation.default + config.reservation[r])]
        for r in own
      ] + [
        [kept(if own == [] then '' else 'resource!~"%s"' % std.join('|', own), config.reservation.default)],
      ]))),
    },
    {
      alert: 'ScaleUp',
      expr: source.only(name, above('scale_target_resource:usage:sum')),
      'for': config.scaleUpFor,
      labels: labels('up'),
      annotations: {
        summary: '{{ $labels.scale_target }} needs more replicas.',
        description: '{{ $labels.scale_target }} uses, with its reservation, {{ $value | humanize }} of {{ $labels.resource }}, and its replicas have less.',
        runbook_url: config.runbookURLPattern % 'scaleup',
      },
    },
  ],

  // scaleOthers are the alerts that are in no such hurry, or need a prediction.
  scaleOthers(name=null):: [
    {
      alert: 'ScaleUpPredicted',
      expr: source.only(name, above('scale_target_resource:usage:predicted')),
      'for': config.scaleUpPredictedFor,
      labels: labels('up'),
      annotations: {
        summary: '{{ $labels.scale_target }} will soon need more replicas.',
        description: '{{ $labels.scale_target }} will use, with its reservation, {{ $value | humanize }} of {{ $labels.resource }} in %ds, and its replicas have less.' % config.provisioningSeconds,
        runbook_url: config.runbookURLPattern % 'scaleuppredicted',
      },
    },
    {
      // Every resource must agree, and what is unknown agrees to
      // nothing. The resources that are asked are those for which a
      // capacity was recorded lately; each of them needs its usage and
      // its capacity now, and must hold with one replica fewer.
      alert: 'ScaleDown',
      expr: source.only(name, |||
                                (
                                  count by (scale_target) (
                                      %(usage)s + scale_target_resource:reserved:max
                                    <=
                                        scale_target_resource:capacity:sum
                                      * on (scale_target) group_left ()
                                        ((scale_target:replicas_reporting:count - 1) / scale_target:replicas_reporting:count)
                                  )
                                  ==
                                  count by (scale_target) (
                                    present_over_time(%(capacity)s[%(memory)s])
                                  )
                                )
                                and on (scale_target)
                                scale_target:replicas_reporting:count > %(min)d
                              ||| % {
                                usage: series('scale_target_resource:usage:sum'),
                                capacity: series('scale_target_resource:capacity:sum'),
                                memory: config.scaleDownMemory,
                                min: config.scaleDownMinReplicas,
                              } +
                              (if config.scaleDownRequires == [] then '' else |||
                                 and on (scale_target)
                                 count by (scale_target) (scale_target_resource:capacity:sum{resource=~"%(resources)s"}) == %(count)d
                               ||| % { resources: std.join('|', config.scaleDownRequires), count: std.length(config.scaleDownRequires) })),
      'for': config.scaleDownFor,
      labels: labels('down'),
      annotations: {
        summary: '{{ $labels.scale_target }} would do with fewer replicas.',
        description: 'With one replica fewer {{ $labels.scale_target }} would still hold its reservation of every resource ({{ $value }}).',
        runbook_url: config.runbookURLPattern % 'scaledown',
      },
    },
  ],

  prometheusAlerts+:: {
    groups+: if $.scaleWhole then [
      // From what is scraped to the alert in one group: each rule sees what
      // those before it recorded at the same instant. Groups are evaluated side
      // by side, each at its own offset, so that an alert in another group than
      // its sample waits up to an interval for it.
      {
        name: 'alertscaler.%s.scale' % s.name,
        interval: config.scaleInterval,
        // ScaleUp before what is not needed for it.
        rules: s.rules + $.scaleUp(s.name) + $.scaleDerived(config.scaleInterval, s.name) + $.scaleOthers(s.name),
      }
      for s in $.scaleSources
    ] else [
      {
        name: 'alertscaler.scale.alerts',
        interval: config.evaluationInterval,
        rules: $.scaleUp() + $.scaleOthers(),
      },
    ],
  },
}
