package usage

// Query is what to ask about one resource of one policy. Only ScaleTarget and
// Resource are required.
type Query struct {
	// ScaleTarget is the value of the scale_target label of shipped series.
	ScaleTarget string
	Resource    string
	// Usage is PromQL for the absolute sum over all replicas; empty is the
	// shipped series of ScaleTarget and Resource.
	Usage string
	// CapacityNumber is what one replica holds; where it is 0, Capacity is
	// PromQL for it; where that is empty too, it comes from the shipped
	// series.
	CapacityNumber float64
	Capacity       string
	// MinCoverage is the share of the ready replicas that must report; nil is
	// the default of the kind of series: 0.8 for shipped ones, no check for
	// others.
	MinCoverage *float64
	// Ready is how many replicas are ready now, as the platform says.
	Ready int
}
