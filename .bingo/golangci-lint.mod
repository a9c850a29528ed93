module _ // Pinned by hand in the layout of https://github.com/bwplotka/bingo: see README.md.

go 1.26.0

require github.com/golangci/golangci-lint/v2 v2.15.0 // cmd/golangci-lint
