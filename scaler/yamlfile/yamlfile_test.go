package yamlfile_test

import (
	"errors"
	"reflect"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v3"

	"github.com/alertscaler/alertscaler/scaler/yamlfile"
)

// shop is what the files of these tests are decoded into.
type shop struct {
	Name  string           `yaml:"name"`
	Open  bool             `yaml:"open"`
	Size  int              `yaml:"size"`
	Door  door             `yaml:"door"`
	Doors []door           `yaml:"doors"`
	Rooms map[string]*door `yaml:"rooms"`
	Level level            `yaml:"level"`
	Extra any              `yaml:"extra"`
}

type door struct {
	Width  float64 `yaml:"width"`
	Colour colour  `yaml:"colour"`
	Key    key     `yaml:"key"`
}

// colour is text that has a name, and so has key, which nobody should see.
type (
	colour string
	key    string
)

// level decodes itself.
type level int

func (l *level) UnmarshalYAML(n *yaml.Node) error {
	if n.Value != "ground" {
		return yamlfile.ErrorAt(n, "%q is not a level", n.Value)
	}
	*l = 1
	return nil
}

// dialect knows the types above, and a key that a door has later.
var dialect = yamlfile.Dialect{
	Field: func(into reflect.Type, key string) reflect.Type {
		if into == reflect.TypeFor[door]() && key == "frame" {
			return reflect.TypeFor[shop]()
		}
		return nil
	},
	Text: func(typeName string) bool {
		return typeName == "yamlfile_test.colour" || typeName == "yamlfile_test.key"
	},
	Private: func(keys string) bool { return strings.HasSuffix(keys, ".key") },
}

func TestRefusals(t *testing.T) {
	for _, test := range []struct{ name, text, want string }{
		{"unknown key", "nam: a", `f.yml:1: unknown key "nam"; known here are door, doors, extra, level, name, open, rooms, size; did you mean name?`},
		{"unknown key of a list", "doors:\n  - { width: 1 }\n  - { hight: 1 }", `f.yml:3: unknown key "hight"; known here are colour, key, width`},
		{"unknown key of a mapping", "rooms:\n  back: { with: 1 }", `f.yml:2: unknown key "with"; known here are colour, key, width; did you mean width?`},
		{"unknown key behind an alias", "door: &d { wide: 1 }\ndoors: [ *d ]", `f.yml:1: unknown key "wide"; known here are colour, key, width`},
		{"text for a number", "size: many", `f.yml:1: "many" is not a whole number`},
		{"a number in quotes", `size: "3"`, `f.yml:1: "3" is not a whole number, as it is in quotes; write 3 without them`},
		{"a number that is too large", "size: 99999999999999999999", "f.yml:1: 99999999999999999999 is too large a number"},
		{"a word for a fraction", "door: { width: wide }", `f.yml:1: "wide" is not a number`},
		{"text for a bool", "open: 3", `f.yml:1: "3" is not true or false`},
		{"a list for text", "door: { colour: [red] }", "f.yml:1: a list is not text"},
		{"a mapping for a list", "doors: { width: 1 }", `f.yml:1: a mapping is not a list; begin the line of each entry with "- ", or write [one, two]`},
		{"text for a mapping", "door: wide", `f.yml:1: "wide" is not a mapping of keys; write key: value, a line each, or { key: value }`},
		{"its own error", "size: 1\nlevel: attic", `f.yml:2: "attic" is not a level`},
		{"no UTF-8", "name: \xff", "f.yml:1: the byte 0xff is not UTF-8"},
		{"a tag", "name: !vault a", "f.yml:1: the tag !vault means nothing here"},
		{"a key twice", "size: 1\nsize: 2", `f.yml:2: the key "size" is there twice, first in line 1; keep one`},
		{"a tab", "door:\n\twidth: 1", "f.yml:2: the line is indented by a tab"},
		{"no anchor", "size: 1\ndoor: *d", "f.yml:2: *d refers to nothing"},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, err := dialect.Decode("f.yml", []byte(test.text), &shop{})
			if _, ok := errors.AsType[yamlfile.Errors](err); !ok || !strings.Contains(err.Error(), test.want) {
				t.Errorf("%T: %[1]v\nwant it to say: %s", err, test.want)
			}
		})
	}
}

// TestAllAtOnce: every error is told, and the zero Dialect tells them too.
func TestAllAtOnce(t *testing.T) {
	_, err := new(yamlfile.Dialect).Decode("f.yml", []byte("size: a\nopen: b\nlevel: c"), &shop{})
	const want = `f.yml:1: "a" is not a whole number
f.yml:2: "b" is not true or false
f.yml:3: "c" is not a level`
	if err == nil || err.Error() != want {
		t.Errorf("%v\nwant:\n%s", err, want)
	}
}

// TestPrivateValues are not repeated, whatever is wrong with them.
func TestPrivateValues(t *testing.T) {
	type vault struct {
		Lock struct {
			Key int `yaml:"key"`
		} `yaml:"lock"`
	}
	_, err := dialect.Decode("f.yml", []byte("lock: { key: hunter2 }"), &vault{})
	if err == nil || err.Error() != "f.yml:1: <secret> is not a whole number" {
		t.Error(err)
	}
}

// TestExplain tells what is wrong with a value that is decoded later.
func TestExplain(t *testing.T) {
	const text = "doors:\n  - width: 1\n    frame:\n      size: many"
	var root yaml.Node
	if err := yaml.Unmarshal([]byte(text), &root); err != nil {
		t.Fatal(err)
	}
	c := yamlfile.Checker{File: "f.yml", Root: &root}
	path := []any{"doors", 0, "frame"}
	frame := &shop{}
	errs := dialect.Explain(c.File, c.Root, path, frame, c.Find(path...).Decode(frame))
	if errs.Error() != `f.yml:4: "many" is not a whole number` {
		t.Error(errs)
	}
}

// TestPlaces: a value that is not written is looked for at what is around it.
func TestPlaces(t *testing.T) {
	const text = `base: &base
  width: 1
doors:
  - <<: *base
    colour: red
  - key:
---
second: document
`
	var root yaml.Node
	if err := yaml.Unmarshal([]byte(text), &root); err != nil {
		t.Fatal(err)
	}
	c := yamlfile.Checker{File: "f.yml", Root: &root}
	c.Add("is wide", yamlfile.At([]any{"doors", 0}, "width")...)
	c.Addf([]any{"doors", 0, "colour"}, "is %s", "red")
	c.Add("is missing", "doors", 1, "frame", "colour")
	c.Add("is empty", yamlfile.Path("nobody.at.home")...)
	c.OneDocument([]byte(text))
	want := []string{
		"f.yml:2: doors[0].width: is wide",
		"f.yml:5: doors[0].colour: is red",
		"f.yml:6: doors[1].frame.colour: is missing",
		"f.yml:1: nobody.at.home: is empty",
		"f.yml:7: only one YAML document is allowed in the file; take out what follows the line ---",
	}
	if diff := cmp.Diff(want, strings.Split(c.Errs.Error(), "\n")); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	if !c.Written("doors", 0, "width") || c.Written("doors", 1, "key") || c.Find("doors", 1, "key") == nil || c.Written("doors", 2) {
		t.Error("what is written is not what is found")
	}
	if got := c.Line("doors", 1); got != 6 {
		t.Errorf("the second door is in line %d", got)
	}
}
