package realtest

import (
	"flag"
	"runtime"
	"strconv"
)

// Parallel lets n tests of a package run at the same time, unless -parallel says
// another number. It is called by TestMain, before the tests, where these wait
// for other programs most of their time: go test runs no more of them together
// than there are processors, which then have nothing to do.
func Parallel(n int) {
	flag.Parse()
	said := false
	flag.Visit(func(f *flag.Flag) { said = said || f.Name == "test.parallel" })
	if said || n <= runtime.GOMAXPROCS(0) {
		return
	}
	// It is a number and the flag is there: it cannot fail.
	if err := flag.Set("test.parallel", strconv.Itoa(n)); err != nil {
		panic(err)
	}
}
