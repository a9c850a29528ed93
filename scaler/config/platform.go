package config

import (
	"errors"
	"reflect"

	commoncfg "github.com/prometheus/common/config"

	"github.com/alertscaler/alertscaler/scaler/target"
	"github.com/alertscaler/alertscaler/scaler/yamlfile"
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
		v.Addf(path, "the platform has no keys")
		return false
	}
	if err := d.unmarshal(cfg); err != nil {
		where, into := []any(nil), any(&Config{})
		if v.Find(path...) != nil {
			where, into = path, cfg
		}
		v.Errs = append(v.Errs, dialect(v.platforms).Explain(v.File, v.Root, where, into, err)...)
		return false
	}
	if d, ok := cfg.(commoncfg.DirectorySetter); ok {
		d.SetDirectory(v.dir)
	}
	before := len(v.Errs)
	if v.bounded(reflect.ValueOf(cfg), path); len(v.Errs) > before {
		return false
	}
	if err := cfg.Validate(); err != nil {
		v.field(err, path)
		return false
	}
	return true
}

// field notes what Validate said of what is configured at path.
func (v *validator) field(err error, path []any) {
	if field, ok := errors.AsType[*target.FieldError](err); ok {
		v.Add(field.Msg, at(path, yamlfile.Path(field.Field)...)...)
	} else {
		v.Add(err.Error(), path...)
	}
}
