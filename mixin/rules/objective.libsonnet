// The reservation by objective in its simple form: what this workload would
// have needed free, one provisioning time ahead, to stay under its capacity
// for all but a stated share of the time.
//
// The base is what is used, held for a while; the margin on it grows with the
// square root of the base, as fluctuations of independent requests do, and
// not in proportion. How wide it must be is measured all the time on what
// happened, so nobody has to say. All of it is counted in replicas: a square
// root means one thing for cores and another for bytes.
//
// Two groups. The first follows the usage, in order: each rule reads what those
// before it recorded. The second looks through a whole history and is evaluated
// more rarely. Neither minds the offset of the other: what is learnt over a
// day is as good a minute later, and a base is read one horizon after it was
// recorded.
local promql = import '../lib/promql.libsonnet';

{
  local config = $._config,
  local objective = config.objective,

  // A replica that is requested now is there one provisioning time after the
  // next evaluation.
  local horizon = config.provisioningSeconds + promql.seconds(config.evaluationInterval),

  // expr fills a pattern with what several rules have in common.
  local expr(pattern) = pattern % {
    hold: objective.hold,
    history: objective.history,
    minSamples: objective.minSamples,
    horizon: '%ds' % horizon,
    objective:
      if objective.shortagePrice == null then promql.amount(objective.objective)
      else '1 - 1 / ' + promql.amount(objective.shortagePrice),
    floor: 'scale_target_resource:usage:sum * %(r)s / (1 - %(r)s)' % { r: promql.amount(objective.minRatio) },
  },

  prometheusRules+:: {
    groups+: if !objective.enabled then [] else
      assert objective.objective > 0 && objective.objective < 1 : 'objective.objective must be above 0 and below 1';
      assert objective.shortagePrice == null || objective.shortagePrice > 1 : 'objective.shortagePrice must be above 1';
      assert objective.minRatio >= 0 && objective.minRatio < 1 : 'objective.minRatio must be at least 0 and less than 1';
      assert promql.seconds(objective.interval) < 300 : 'objective.interval must be less than 5m, or what is learnt is not there in between';
      assert objective.minSamples * promql.seconds(objective.interval) <= promql.seconds(objective.history) : 'objective.history never has objective.minSamples samples';
      [
        {
          name: 'alertscaler.objective.rules',
          interval: config.evaluationInterval,
          rules: [
            {
              // The unit of the margin.
              record: 'scale_target_resource:capacity:avg',
              expr: |||
                (scale_target_resource:capacity:sum > 0)
                / on (scale_target) group_left ()
                scale_target:replicas_reporting:count
              |||,
            },
            {
              // The base. What is not used now, as far as anybody knows, has
              // none, although the range still has samples.
              record: 'scale_target_resource:usage:held',
              expr: expr(|||
                max_over_time(scale_target_resource:usage:sum[%(hold)s]) < +Inf
                and
                scale_target_resource:usage:sum >= 0
              |||),
            },
            {
              // Base and margin, less what is used already. Never below
              // minRatio, and nothing at all where any part is not known.
              record: 'scale_target_resource:reserved:objective',
              expr: expr(|||
                (
                    scale_target_resource:usage:held
                  + scale_target_resource:margin:objective
                    * scale_target_resource:capacity:avg
                    * sqrt(clamp_min(scale_target_resource:usage:held / scale_target_resource:capacity:avg, 1))
                  - scale_target_resource:usage:sum
                )
                > %(floor)s
                or
                (
                      %(floor)s
                  and scale_target_resource:usage:held
                  and scale_target_resource:margin:objective
                  and scale_target_resource:capacity:avg
                )
              |||),
            },
          ],
        },
        {
          name: 'alertscaler.objective.margin.rules',
          interval: objective.interval,
          rules: [
            {
              // What the margin would have had to be one horizon ago to last
              // until now, and no less than nothing. Both ends must be known:
              // a gap needs no margin of zero, it says nothing. A base of
              // less than one replica counts as one, or the first request
              // after a quiet night would need a margin without bounds.
              record: 'scale_target_resource:margin:needed',
              expr: expr(|||
                clamp_min(
                  (max_over_time(scale_target_resource:usage:sum[%(horizon)s]) - scale_target_resource:usage:held offset %(horizon)s)
                  / scale_target_resource:capacity:avg
                  / sqrt(clamp_min(scale_target_resource:usage:held offset %(horizon)s / scale_target_resource:capacity:avg, 1)),
                  0
                )
                and
                scale_target_resource:usage:held
              |||),
            },
            {
              // What would have been enough for the stated share of the time,
              // or for that in which another replica does not pay.
              // A few samples are no experience: until there are enough,
              // nothing is recorded, and the configured ratio goes on to
              // stand in where the alerts read this (reservedSeries). Once
              // learnt it outlives gaps, for as long as the history does.
              record: 'scale_target_resource:margin:objective',
              expr: expr(|||
                quantile_over_time(%(objective)s, scale_target_resource:margin:needed[%(history)s])
                and
                count_over_time(scale_target_resource:margin:needed[%(history)s]) >= %(minSamples)d
              |||),
            },
          ],
        },
      ],
  },
}
