// The rule files as they ship: jsonnet -S -m DIR render.jsonnet.
(import 'lib/render.libsonnet').files(import 'mixin.libsonnet')
