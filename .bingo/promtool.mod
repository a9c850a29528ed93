module _ // Pinned by hand in the layout of https://github.com/bwplotka/bingo: see README.md.

go 1.26.7

require github.com/prometheus/prometheus v0.316.0 // cmd/promtool -tags=remove_all_sd
