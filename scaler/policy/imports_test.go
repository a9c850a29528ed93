package policy

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// pure are the packages that the decision may use: none of them does I/O.
var pure = []string{"bytes", "cmp", "encoding/binary", "encoding/json", "errors", "fmt", "maps", "math", "slices", "sort", "strconv", "strings", "time", module + "/scaler/policy/objective"}

const module = "github.com/alertscaler/alertscaler"

// clocks are what package time reads or waits with, and how it finds the
// host's time zones.
var clocks = []string{"After", "AfterFunc", "LoadLocation", "Local", "NewTicker", "NewTimer", "Now", "Since", "Sleep", "Tick", "Until"}

// printers are what package fmt reads and writes with.
var printers = []string{"Fprint", "Fprintf", "Fprintln", "Print", "Printf", "Println", "Scan", "Scanf", "Scanln"}

func TestPackageIsPure(t *testing.T) {
	var names []string
	for _, pattern := range []string{"*.go", "objective/*.go"} {
		found, err := filepath.Glob(pattern)
		if err != nil || len(found) == 0 {
			t.Fatalf("%s: %d files, %v", pattern, len(found), err)
		}
		names = append(names, found...)
	}
	files := 0
	for _, name := range names {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		files++
		set := token.NewFileSet()
		f, err := parser.ParseFile(set, name, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		for _, fault := range impure(set, f) {
			t.Error(fault)
		}
	}
	if files == 0 {
		t.Error("no file was looked at")
	}
}

// impure says where a file imports, waits or prints what the decision must
// not.
func impure(set *token.FileSet, f *ast.File) (faults []string) {
	say := func(n ast.Node, what string) {
		faults = append(faults, set.Position(n.Pos()).String()+": "+what)
	}
	for _, spec := range f.Imports {
		path, _ := strconv.Unquote(spec.Path.Value)
		switch {
		case !slices.Contains(pure, path):
			say(spec, "imports "+path)
		case spec.Name != nil:
			say(spec, "renames "+path+", which hides what is used of it")
		}
	}
	ast.Inspect(f, func(n ast.Node) bool {
		s, ok := n.(*ast.SelectorExpr)
		if !ok {
			return true
		}
		x, ok := s.X.(*ast.Ident)
		switch {
		case !ok:
		case x.Name == "time" && slices.Contains(clocks, s.Sel.Name):
			say(s, "asks the host by time."+s.Sel.Name)
		case x.Name == "fmt" && slices.Contains(printers, s.Sel.Name):
			say(s, "prints by fmt."+s.Sel.Name)
		}
		return true
	})
	return faults
}

// The test above is worth what it finds.
func TestImpurityIsFound(t *testing.T) {
	for _, src := range []string{
		`package p; import "os"`,
		`package p; import "net/http"`,
		`package p; import "github.com/go-kit/log"`,
		`package p; import t "time"; var x = t.Now()`,
		`package p; import . "time"; var x = Now()`,
		`package p; import "time"; var x = time.Now()`,
		`package p; import "time"; var now = time.Now`,
		`package p; import "time"; func f(t time.Time) time.Duration { return time.Since(t) }`,
		`package p; import "time"; func f(t time.Time) time.Duration { return time.Until(t) }`,
		`package p; import "fmt"; func f() { fmt.Println() }`,
	} {
		set := token.NewFileSet()
		f, err := parser.ParseFile(set, "p.go", src, 0)
		if err != nil {
			t.Fatal(err)
		}
		if len(impure(set, f)) == 0 {
			t.Errorf("not found: %s", src)
		}
	}
}
