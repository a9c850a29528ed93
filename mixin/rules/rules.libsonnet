(import 'sources.libsonnet') +
(import 'process.libsonnet') +
(import 'docker.libsonnet') +
(import 'kubernetes.libsonnet') +
(import 'node.libsonnet') +
(import 'scale.libsonnet') +
(import 'objective.libsonnet')
