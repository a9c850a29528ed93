(import 'scale.libsonnet') +
(import 'alertscaler.libsonnet')
