// What follows from usage and capacity, alike for all sources.
//
// Groups are evaluated side by side, each at its own offset within the
// interval, so these rules read what the sources recorded up to one interval
// ago. That is why they are here, once, and not in each source: one interval
// more or less matters neither to a ratio nor to a line through ten minutes,
// and what is urgent, ScaleUp, reads usage and capacity directly.
{
  local config = $._config,

  prometheusRules+:: {
    groups+: [
      {
        name: 'alertscaler.scale.rules',
        interval: config.evaluationInterval,
        rules: [
          {
            record: 'scale_target_resource:utilization:ratio',
            expr: |||
              scale_target_resource:usage:sum
              /
              (scale_target_resource:capacity:sum > 0)
            |||,
          },
          {
            // Never below the present usage: a load that falls is no reason
            // to have less than it needs now.
            record: 'scale_target_resource:usage:predicted',
            expr: |||
              (
                  predict_linear(scale_target_resource:usage:sum[%(predictionRange)s], %(provisioningSeconds)d)
                and
                  count_over_time(scale_target_resource:usage:sum[%(predictionRange)s]) >= %(predictionMinSamples)d
              )
              > scale_target_resource:usage:sum
              or
              scale_target_resource:usage:sum
            ||| % config,
          },
        ],
      },
    ],
  },
}
