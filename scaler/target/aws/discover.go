package aws

import (
	"regexp"
	"strings"

	"github.com/alertscaler/alertscaler/scaler/target"
	"github.com/alertscaler/alertscaler/scaler/target/share"
)

// tagPrefix begins the tags that ask to be scaled. Tags of AWS are commonly
// written with colons; dots, as everywhere else, do as well.
const tagPrefix = "alertscaler:"

// prefixes begin tags that ask to be scaled, the one that counts first.
var prefixes = []string{tagPrefix, target.DiscoveryPrefix}

// asking is share.Asking of tags.
func asking[T any](tags []T, pair func(*T) (key, value *string)) (map[string]string, bool) {
	all := make(map[string]string, len(tags))
	for i := range tags {
		k, v := pair(&tags[i])
		all[share.Value(k)] = share.Value(v)
	}
	return share.Asking(all, prefixes...)
}

// unfit is what the name of a policy may not have in it.
var unfit = regexp.MustCompile(`[^a-zA-Z0-9_.:-]+`)

// policyName is a name as a policy may have it. Two groups whose names differ
// in nothing else are reported as a problem, as all things of one name are.
func policyName(name string) string {
	fit := strings.TrimLeft(unfit.ReplaceAllString(name, "-"), "_.:-")
	return fit[:min(len(fit), 128)]
}
