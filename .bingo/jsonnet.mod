module _ // Pinned by hand in the layout of https://github.com/bwplotka/bingo: see README.md.

go 1.26

require github.com/google/go-jsonnet v0.22.0 // cmd/jsonnet
