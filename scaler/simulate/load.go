package simulate

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"go.yaml.in/yaml/v3"

	"github.com/alertscaler/alertscaler/scaler/config"
	"github.com/alertscaler/alertscaler/scaler/target"
)

// Load reads and validates a file of tests and the configuration it names, by
// the server's own loader.
func Load(name string, platforms *target.Registry) (*File, error) {
	b, err := os.ReadFile(name)
	if err != nil {
		return nil, fmt.Errorf("read policy tests: %w", err)
	}
	f := &File{}
	root, err := config.Decode(name, b, nil, f)
	if err != nil {
		return nil, err
	}
	if root.IsZero() {
		return nil, config.Errors{{File: name, Msg: "the file is empty; write config_file and tests"}}
	}
	c := &checker{file: name, root: root}
	dec := yaml.NewDecoder(bytes.NewReader(b))
	if err := dec.Decode(new(yaml.Node)); err != nil {
		return nil, err
	}
	if err := dec.Decode(new(yaml.Node)); !errors.Is(err, io.EOF) {
		c.add(nil, "only one YAML document is allowed in the file")
	}
	if f.ConfigFile == "" {
		c.add([]any{"config_file"}, "is missing; name the configuration, relative to this file")
		return nil, c.errs
	}
	path := f.ConfigFile
	if !filepath.IsAbs(path) {
		path = filepath.Join(filepath.Dir(name), path)
	}
	loaded, err := config.LoadFile(path, platforms)
	switch {
	case errors.As(err, new(*os.PathError)):
		c.add([]any{"config_file"}, "%s", err)
		return nil, c.errs
	case err != nil:
		return nil, err
	}
	c.tests(f, loaded)
	if len(c.errs) > 0 {
		return nil, c.errs
	}
	return f, nil
}
