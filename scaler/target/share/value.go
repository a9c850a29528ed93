package share

// Value is what p points at, or zero.
func Value[T any](p *T) (v T) {
	if p != nil {
		v = *p
	}
	return v
}
