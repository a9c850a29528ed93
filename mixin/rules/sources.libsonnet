// The rule groups of the sources, for layouts in which their alerts are in
// another group: see oneGroup.
{
  local config = $._config,

  // The rules of each source by its name, in the order in which they are
  // evaluated: each sees what those before it recorded at the same instant.
  scaleSources:: [],

  // scaleWhole is whether each source and its alerts are one group. Where no
  // source is enabled there is no such group, and the alerts, which are for what
  // others record then, need one of their own.
  scaleWhole:: config.oneGroup && $.scaleSources != [],

  prometheusRules+:: {
    groups+: if $.scaleWhole then [] else [
      {
        name: 'alertscaler.%s.rules' % source.name,
        interval: config.evaluationInterval,
        rules: source.rules,
      }
      for source in $.scaleSources
    ],
  },
}
