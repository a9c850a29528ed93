package target

import (
	"cmp"
	"errors"
	"strings"
	"testing"
)

func TestCheck(t *testing.T) {
	t.Parallel()
	lower := func(s string) bool { return strings.ToLower(s) == s }
	for name, test := range map[string]struct {
		err  error
		want string
	}{
		"nothing":         {Check(true, "name", "%q is no name", "web"), ""},
		"a value":         {Check(false, "name", "%q is no name", "web"), `name: "web" is no name`},
		"the first":       {cmp.Or(nil, Check(false, "a", "is wrong"), Check(false, "b", "is wrong")), "a: is wrong"},
		"no error":        {CheckError("url", nil), ""},
		"an error":        {CheckError("url", errors.New("no host: %")), "url: no host: %"},
		"no list":         {CheckList("zones", nil, lower, "%q is no zone", nil), ""},
		"a list":          {CheckList("zones", []string{"a", "b"}, lower, "%q is no zone", nil), ""},
		"one of a list":   {CheckList("zones", []string{"a", "B", "a"}, lower, "%q is no zone", nil), `zones: "B" is no zone`},
		"one twice":       {CheckList("zones", []string{"a", "b", "a", "B"}, lower, "%q is no zone", nil), `zones: "a" is there twice`},
		"one in any case": {CheckList("zones", []string{"a", "A"}, func(string) bool { return true }, "", strings.EqualFold), `zones: "A" is there twice`},
	} {
		got := ""
		if test.err != nil {
			got = test.err.Error()
		}
		if _, ok := errors.AsType[*FieldError](test.err); got != test.want || ok != (test.want != "") {
			t.Errorf("%s: %v, want %q", name, test.err, test.want)
		}
	}
}
