package process

import (
	"fmt"
	"math"
	"slices"
	"strconv"

	"github.com/alecthomas/units"

	"github.com/alertscaler/alertscaler/scaler/target"
)

// Capacity is what one replica may use. A resource that is absent or zero is
// unknown and not exported.
type Capacity struct {
	// CPU in cores: 0.5 is half a core.
	CPU float64 `yaml:"cpu,omitempty"`
	// Memory in bytes, resident.
	Memory Bytes `yaml:"memory,omitempty"`
	// Disk in bytes per second, read and written together.
	Disk Bytes `yaml:"disk,omitempty"`
	// Network in bytes per second, received and sent together.
	Network Bytes `yaml:"network,omitempty"`
}

// Bytes is a number of bytes, written as a number or with a unit: 128MiB,
// 1.5GB. KiB, MiB, ... are powers of 1024; kB, MB, ... of 1000.
type Bytes int64

// UnmarshalYAML decodes a number or a text with a unit.
func (b *Bytes) UnmarshalYAML(unmarshal func(any) error) error {
	var s string
	if err := unmarshal(&s); err != nil {
		return err
	}
	if f, err := strconv.ParseFloat(s, 64); err == nil {
		if math.IsNaN(f) || f >= math.MaxInt64 || f <= math.MinInt64 {
			return fmt.Errorf("%q is not a number of bytes", s)
		}
		*b = Bytes(f)
		return nil
	}
	n, err := units.ParseStrictBytes(s)
	if err != nil {
		return fmt.Errorf("%q is not a number of bytes, as 134217728 or 128MiB are", s)
	}
	*b = Bytes(n)
	return nil
}

// amount is one configured capacity.
type amount struct {
	resource string
	value    float64
}

// amounts returns what is configured, by the names that the resources have in
// the recorded series.
func (c Capacity) amounts() []amount {
	all := []amount{
		{"cpu", c.CPU},
		{"memory", float64(c.Memory)},
		{"disk", float64(c.Disk)},
		{"network", float64(c.Network)},
	}
	return slices.DeleteFunc(all, func(a amount) bool { return a.value == 0 })
}

func (c Capacity) validate() error {
	for _, a := range c.amounts() {
		if math.IsNaN(a.value) || math.IsInf(a.value, 0) || a.value < 0 {
			return &target.FieldError{Field: "capacity." + a.resource, Msg: "must be above zero"}
		}
	}
	return nil
}
