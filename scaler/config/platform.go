package config

import (
	"errors"
	"reflect"

	commoncfg "github.com/prometheus/common/config"

	"github.com/alertscaler/alertscaler/scaler/target"
)

// deferred keeps the means to decode a value later, as strictly as now.
type deferred struct {
	unmarshal func(any) error
}

// UnmarshalYAML keeps unmarshal.
func (d *deferred) UnmarshalYAML(unmarshal func(any) error) error {
	d.unmarshal = unmarshal
	return nil
}

// decodePlatform decodes what is written of a platform over its defaults in
// cfg, and validates it. It reports whether all is well.
func (v *validator) decodePlatform(d deferred, cfg interface{ Validate() error }, path []any) bool {
	if d.unmarshal == nil {
		v.addf(path, "the platform has no keys")
		return false
	}
	if err := d.unmarshal(cfg); err != nil {
		p := place{v.root, reflect.TypeFor[Config](), v.platforms, nil}
		if n := find(v.root, path); n != nil {
			p = place{n, reflect.TypeOf(cfg), v.platforms, path}
		}
		v.errs = append(v.errs, decodeErrors(v.file, p, err)...)
		return false
	}
	if d, ok := cfg.(commoncfg.DirectorySetter); ok {
		d.SetDirectory(v.dir)
	}
	before := len(v.errs)
	if v.bounded(reflect.ValueOf(cfg), path); len(v.errs) > before {
		return false
	}
	if err := cfg.Validate(); err != nil {
		if field, ok := errors.AsType[*target.FieldError](err); ok {
			v.add(field.Msg, at(path, splitKey(field.Field)...)...)
		} else {
			v.add(err.Error(), path...)
		}
		return false
	}
	return true
}
