package share

import (
	"slices"

	"github.com/alertscaler/alertscaler/scaler/target"
)

// Leaving returns the IDs of the n replicas to let go, see target.VictimsFirst;
// none where n is not positive, victims names none of the replicas, or there are
// fewer than n: then the platform chooses.
func Leaving[R any](replicas []R, id func(R) string, n int, victims []string) []string {
	if n <= 0 || n > len(replicas) {
		return nil
	}
	ids := make([]string, 0, n)
	for _, r := range target.VictimsFirst(replicas, id, victims)[:n] {
		ids = append(ids, id(r))
	}
	if !slices.Contains(victims, ids[0]) {
		return nil
	}
	return ids
}
