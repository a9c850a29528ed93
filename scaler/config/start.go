package config

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"reflect"
	"strings"

	commoncfg "github.com/prometheus/common/config"

	"github.com/alertscaler/alertscaler/scaler/drain"
	"github.com/alertscaler/alertscaler/scaler/target"
	"github.com/alertscaler/alertscaler/scaler/yamlfile"
)

// CheckStart reports everything that keeps a server on this host from starting
// with c, which was loaded from a file: files that are named and cannot be
// read, and clients that cannot be built. Nothing is dialed. The error is
// yamlfile.Errors.
func (c *Config) CheckStart() error {
	v := &validator{Checker: yamlfile.Checker{File: c.source.file, Root: c.source.root}}
	v.files(reflect.ValueOf(c), nil)
	if len(v.Errs) > 0 {
		return v.Errs // What follows would say the same again, in other words.
	}
	if c.Prometheus != nil {
		v.client(&c.Prometheus.HTTPClientConfig, "prometheus")
	}
	if c.Alertmanager != nil {
		v.client(&c.Alertmanager.HTTPClientConfig, "alertmanager")
	}
	for i, p := range c.Policies {
		for j, t := range p.Targets {
			v.startable(p, t, []any{"policies", i, "targets", j})
		}
	}
	for i, d := range c.Discovery {
		built, err := d.Platform.New(target.Options{Name: d.Name})
		v.built(built, err, []any{"discovery", i, d.Platform.Platform()})
	}
	if len(v.Errs) > 0 {
		return v.Errs
	}
	return nil
}

// client builds an HTTP client as the server does.
func (v *validator) client(h *commoncfg.HTTPClientConfig, section string) {
	if _, err := commoncfg.NewRoundTripperFromConfig(*h, section); err != nil {
		v.Add(err.Error(), section)
	}
}

func (v *validator) startable(p *Policy, t *Target, path []any) {
	if t.Drain != nil {
		_, err := drain.New(*t.Drain)
		v.built(nil, err, at(path, "drain"))
	}
	built, err := t.Platform.New(target.Options{Policy: p.Name, ScaleTarget: p.ScaleTarget, Name: t.Name})
	v.built(built, err, at(path, t.Platform.Platform()))
}

// built notes why something could not be built, or gives it up again.
func (v *validator) built(what any, err error, path []any) {
	if err != nil {
		v.Add(err.Error(), path...)
		return
	}
	if closer, ok := what.(target.Closer); ok {
		if err := closer.Close(); err != nil {
			v.Add(err.Error(), path...)
		}
	}
}

// files checks every file that is named in v, by keys that end in file or
// files, and a kubeconfig.
func (v *validator) files(value reflect.Value, path []any) {
	for value.Kind() == reflect.Pointer || value.Kind() == reflect.Interface {
		if value.IsNil() {
			return
		}
		value = value.Elem()
	}
	switch value.Kind() {
	case reflect.Slice:
		for i := range value.Len() {
			v.files(value.Index(i), at(path, i))
		}
	case reflect.Map:
		for entry := value.MapRange(); entry.Next(); {
			v.files(entry.Value(), at(path, entry.Key().String()))
		}
	case reflect.Struct:
		fields := make(map[string]reflect.Value)
		if rest := renderedFields(value, fields); rest.IsValid() {
			v.files(rest, path)
		}
		for name, field := range fields {
			v.files(field, at(path, name))
		}
	case reflect.String:
		if value.Len() > 0 && namesFile(path) {
			if err := readable(value.String()); err != nil {
				v.Add(err.Error(), path...)
			}
		}
	}
}

// namesFile reports whether the value at path is the name of a file.
func namesFile(path []any) bool {
	last, ok := path[len(path)-1].(string)
	if !ok && len(path) > 1 {
		last, _ = path[len(path)-2].(string) // of a list
	}
	return strings.HasSuffix(last, "_file") || last == "files" || last == "kubeconfig"
}

// readable says why a file cannot be read, in one sentence.
func readable(name string) error {
	f, err := os.Open(name)
	if err == nil {
		defer f.Close()
		var info fs.FileInfo
		if info, err = f.Stat(); err == nil && info.IsDir() {
			return fmt.Errorf("%s is a directory, and a file is needed", name)
		}
	}
	if e, ok := errors.AsType[*fs.PathError](err); ok {
		return fmt.Errorf("%s cannot be read: %w", name, e.Err)
	}
	return err
}
