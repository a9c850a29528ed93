// The mixin with alerts that go by the reservation by objective, learnt from an
// hour instead of a day: see objective.test.yml.
local mixin = (import '../mixin.libsonnet') + {
  _config+:: {
    reservedSeries: 'scale_target_resource:reserved:objective',
    provisioningSeconds: 90,
    evaluationInterval: '30s',
    objective+: { objective: 0.9, hold: '2m', history: '1h', interval: '30s', minSamples: 20, minRatio: 0.05 },
  },
};

(import '../lib/render.libsonnet').files(mixin)
