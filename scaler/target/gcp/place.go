package gcp

import (
	"cmp"
	"fmt"
)

// place is a zone or a region of a project.
type place struct{ project, zone, region string }

// location is the name of the zone or region.
func (p place) location() string { return cmp.Or(p.zone, p.region) }

// group is the full name of a group: projects/shop/zones/europe-west1-b/web.
func (p place) group(name string) string {
	if p.zone != "" {
		return fmt.Sprintf("projects/%s/zones/%s/%s", p.project, p.zone, name)
	}
	return fmt.Sprintf("projects/%s/regions/%s/%s", p.project, p.region, name)
}
