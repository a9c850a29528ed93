package aws

import (
	"regexp"
	"strings"

	"github.com/alertscaler/alertscaler/scaler/target"
)

// tagPrefix begins the tags that ask to be scaled. Tags of AWS are commonly
// written with colons; dots, as everywhere else, do as well.
const tagPrefix = "alertscaler:"

// enableKeys are the tags without which nothing is found.
var enableKeys = []string{tagPrefix + "enable", target.DiscoveryPrefix + "enable"}

// asking are the tags that ask to be scaled, without their prefix. Where both
// spellings say something the one with a colon counts.
func asking[T any](tags []T, pair func(*T) (key, value *string)) map[string]string {
	out := make(map[string]string)
	for _, prefix := range []string{target.DiscoveryPrefix, tagPrefix} {
		for i := range tags {
			k, v := pair(&tags[i])
			if name, ok := strings.CutPrefix(value(k), prefix); ok {
				out[name] = value(v)
			}
		}
	}
	return out
}

// unfit is what the name of a policy may not have in it.
var unfit = regexp.MustCompile(`[^a-zA-Z0-9_.:-]+`)

// policyName is a name as a policy may have it. Two groups whose names differ
// in nothing else are reported as a problem, as all things of one name are.
func policyName(name string) string {
	fit := strings.TrimLeft(unfit.ReplaceAllString(name, "-"), "_.:-")
	return fit[:min(len(fit), 128)]
}
