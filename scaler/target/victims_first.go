package target

import "slices"

// VictimsFirst returns the replicas in the order in which ScaleDown is to let
// them go: those that victims names by their IDs, in that order, then the
// others in the order given. An ID that no replica has, or that comes twice,
// does nothing.
func VictimsFirst[R any](replicas []R, id func(R) string, victims []string) []R {
	rest := slices.Clone(replicas)
	order := make([]R, 0, len(rest))
	for _, v := range victims {
		i := slices.IndexFunc(rest, func(r R) bool { return id(r) == v })
		if i < 0 {
			continue
		}
		order = append(order, rest[i])
		rest = slices.Delete(rest, i, i+1)
	}
	return append(order, rest...)
}
