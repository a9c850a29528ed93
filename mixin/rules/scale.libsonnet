// What follows from usage and capacity, alike for all sources.
local promql = import '../lib/promql.libsonnet';
local source = import '../lib/source.libsonnet';

{
  local config = $._config,

  // scaleDerived are the rules for the targets of one source, or of all, in a
  // group that is evaluated at the interval.
  scaleDerived(interval, name=null):: [
    {
      record: 'scale_target_resource:utilization:ratio',
      expr: source.only(name, |||
        scale_target_resource:usage:sum
        /
        (scale_target_resource:capacity:sum > 0)
      |||),
    },
    {
      // Never below the present usage: a load that falls is no reason
      // to have less than it needs now.
      record: 'scale_target_resource:usage:predicted',
      expr: source.onlyOf(name, |||
        (
            predict_linear(scale_target_resource:usage:sum[%(predictionRange)s], %(provisioningSeconds)d)
          and
            count_over_time(scale_target_resource:usage:sum[%(predictionRange)s]) >= %(predictionMinSamples)d
        )
        > scale_target_resource:usage:sum
        or
        scale_target_resource:usage:sum
      ||| % (config { predictionMinSamples: std.ceil(promql.seconds(config.predictionMinHistory) / promql.seconds(interval)) })),
    },
  ],

  prometheusRules+:: {
    groups+: if $.scaleWhole then [] else [
      {
        name: 'alertscaler.scale.rules',
        interval: config.evaluationInterval,
        rules: $.scaleDerived(config.evaluationInterval),
      },
    ],
  },
}
