package target

import (
	"context"
	"slices"
)

// Replica is one replica as its platform knows it.
type Replica struct {
	// ID names it to its own target, and to nobody else.
	ID string
	// Name is what people call it: a pod's name, a container's name, an
	// address.
	Name string
	// Aliases are the other values by which labels of series may name it: an
	// ID, an address without its port.
	Aliases []string
	// Address is where it can be reached, as host or host:port; empty where
	// that is not known.
	Address string
	// Ready says whether it serves.
	Ready bool
}

// Replicas are the replicas of a target that are wanted: those that stop
// already are not among them, and those that nobody has made yet cannot be.
type Replicas struct {
	// List is in the order in which the platform itself would let them go.
	List []Replica
	// Kept is how many more there are that the platform does not let go, such
	// as those that somebody protected; they are not in List.
	Kept int
	// Fixed says that the platform lets them go in that order and in no other,
	// as a StatefulSet does.
	Fixed bool
	// UnreadyFirst says that whatever is wanted the platform lets those go
	// first that are not ready, as a ReplicaSet does.
	UnreadyFirst bool
	// Label is the label that names a replica in the series that people
	// usually have of this platform: pod, name, instance.
	Label string
}

// Victims is a Target whose replicas can be told apart, so that those that are
// least missed can be made to go. Its methods keep to what is said of those of
// Target.
type Victims interface {
	// Replicas reads them. It never changes anything.
	Replicas(ctx context.Context) (Replicas, error)
	// ScaleDown is Scale to a count lower than the one requested, where the
	// replicas that go are the ones with these IDs, the first of them first.
	// Of more than are needed the last ones stay; where there are fewer, or
	// some are gone already, the platform chooses the others. A target whose
	// order is fixed ignores them.
	ScaleDown(ctx context.Context, desired int, victims []string) error
}

// VictimsConfig is a Config whose targets may implement Victims, so that this
// can be told before one is built.
type VictimsConfig interface {
	Config
	// ChoosesVictims reports whether this one's does.
	ChoosesVictims() bool
}

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
