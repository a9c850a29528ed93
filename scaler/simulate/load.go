package simulate

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/alertscaler/alertscaler/scaler/config"
	"github.com/alertscaler/alertscaler/scaler/target"
	"github.com/alertscaler/alertscaler/scaler/yamlfile"
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
		return nil, yamlfile.Errors{{File: name, Msg: "the file is empty; write config_file and tests"}}
	}
	c := &checker{yamlfile.Checker{File: name, Root: root}}
	c.OneDocument(b)
	if f.ConfigFile == "" {
		c.Add("is missing; name the configuration, relative to this file", "config_file")
		return nil, c.Errs
	}
	path := f.ConfigFile
	if !filepath.IsAbs(path) {
		path = filepath.Join(filepath.Dir(name), path)
	}
	loaded, err := config.LoadFile(path, platforms)
	switch {
	case errors.As(err, new(*os.PathError)):
		c.Add(err.Error(), "config_file")
		return nil, c.Errs
	case err != nil:
		return nil, err
	}
	c.tests(f, loaded)
	if len(c.Errs) > 0 {
		return nil, c.Errs
	}
	return f, nil
}
