package azure

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/arm"

	"github.com/alertscaler/alertscaler/scaler/target"
)

const (
	// listedFor is how long one list serves all targets.
	listedFor = 2 * time.Second
	// refusedFor is how long a list that is not for us is not asked for again.
	refusedFor = 10 * time.Minute
	// groupsApart is up to how many resource groups are listed one by one;
	// with more it is the whole subscription.
	groupsApart = 3
)

// sets are scale sets by the lower case of group/name.
type sets map[string]*setModel

func setKey(group, name string) string { return strings.ToLower(group + "/" + name) }

// join says that a target of a resource group is there, until leave is called.
func (a *account) join(group string) (leave func()) {
	_, leave = a.groups.Use(strings.ToLower(group), func() (none struct{}) { return none })
	return leave
}

// scopes are the lists to read a target of the group from, best first: that of
// the subscription has the empty name.
func (a *account) scopes(group string) []string {
	a.mu.Lock()
	defer a.mu.Unlock()
	scopes := []string{strings.ToLower(group)}
	if a.groups.Len() > groupsApart {
		scopes = []string{"", scopes[0]}
	}
	return slices.DeleteFunc(scopes, func(s string) bool { return time.Since(a.refused[s]) < refusedFor })
}

// load lists the scale sets of a scope.
func (a *account) load(ctx context.Context, scope string) (sets, error) {
	op, path := "list the scale sets of the subscription", a.root
	if scope != "" {
		op, path = "list the scale sets of resource group "+scope, a.groupPath(scope)
	}
	all, err := list[setModel](ctx, a, op, a.url(path+scaleSetsPath, computeVersion, nil))
	if err != nil {
		return nil, err
	}
	out := make(sets, len(all))
	for i := range all {
		id, err := arm.ParseResourceID(all[i].ID)
		if err != nil || id.ResourceGroupName == "" {
			return nil, target.Errorf(target.KindTemporary, op, "%q is no ID of a scale set", all[i].ID)
		}
		out[setKey(id.ResourceGroupName, all[i].Name)] = &all[i]
	}
	return out, nil
}

// find reads a scale set, from a list where it is on one. It is asked for by
// itself where no list is for us, and where it is not on the list: that may not
// know it yet, or leave out what is not ours.
func (a *account) find(ctx context.Context, op, group, name string, notBefore time.Time) (*setModel, error) {
	for _, scope := range a.scopes(group) {
		all, err := a.listings.Get(ctx, scope, notBefore)
		switch {
		case forbidden(err):
			a.mu.Lock()
			a.refused[scope] = time.Now()
			a.mu.Unlock()
			continue
		case err != nil:
			return nil, failure(ctx, op, err)
		}
		if m, ok := all[setKey(group, name)]; ok {
			return m, nil
		}
		break
	}
	return a.set(ctx, op, group, name)
}
