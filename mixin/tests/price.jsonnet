// The mixin with a price for what is missing, in place of a share of the time:
// see price.test.yml.
local mixin = (import '../mixin.libsonnet') + {
  _config+:: {
    objective+: { shortagePrice: 2.5, history: '1h', interval: '1m', minSamples: 20 },
  },
};

(import '../lib/render.libsonnet').files(mixin)
