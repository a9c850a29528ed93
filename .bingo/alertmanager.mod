module _ // Pinned by hand in the layout of https://github.com/bwplotka/bingo: see README.md.

go 1.26

require github.com/prometheus/alertmanager v0.31.0 // cmd/alertmanager
