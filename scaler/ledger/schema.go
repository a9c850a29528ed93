package ledger

import (
	"fmt"
	"slices"
	"strings"

	"github.com/oklog/ulid/v2"
	"go.etcd.io/bbolt"
)

const (
	// schemaVersion grows when an older alertscaler could no longer read the
	// file.
	schemaVersion = 2
	// sealedSchema is the first whose values are sealed, see seal.
	sealedSchema = 2
)

// The buckets. All values but those of meta are sealed. Keys that begin with an ID hold its 16 bytes, so that bbolt's
// order is the order of making; the count of decisions is the bucket's
// sequence, which costs no page of its own.
const (
	bucketMeta              = "meta"                // name → text
	bucketDecisions         = "decisions"           // ID → policy.Decision
	bucketDecisionsByPolicy = "decisions_by_policy" // policy NUL ID → nothing
	bucketActions           = "actions"             // ID → Action
	bucketActionsByPolicy   = "actions_by_policy"   // policy NUL ID → nothing
	bucketActionsOpen       = "actions_open"        // ID → nothing
	bucketHistories         = "histories"           // policy → policy.History
	bucketRequested         = "requested"           // policy NUL target → Requested
	bucketAlerts            = "alerts"              // fingerprint → alerts.Alert
	bucketPauses            = "pauses"              // policy → policy.Pause
	bucketLearnt            = "learnt"              // policy NUL resource → a learner's state

	keySchema = "schema"
	keyProbe  = "probe" // what was written last to try the disk
	keyLost   = "lost"  // when something was lost that policies remembered
)

// firstBuckets exist in every ledger from its first day.
func firstBuckets() []string {
	return []string{
		bucketMeta, bucketDecisions, bucketDecisionsByPolicy, bucketActions,
		bucketActionsByPolicy, bucketActionsOpen, bucketHistories,
		bucketRequested, bucketAlerts,
	}
}

// laterBuckets came with a later alertscaler; ledgers from before get them
// when they are opened.
func laterBuckets() []string { return []string{bucketPauses, bucketLearnt} }

// dataBuckets are all but meta.
func dataBuckets() []string { return slices.Concat(firstBuckets()[1:], laterBuckets()) }

// isIndex reports whether a bucket only says where others have something.
func isIndex(name string) bool {
	return name == bucketDecisionsByPolicy || name == bucketActionsByPolicy || name == bucketActionsOpen
}

// put seals and stores a value, which is the ledger's from now on.
func put(tx *bbolt.Tx, name string, key, payload []byte) error {
	return bucket(tx, name).Put(key, seal(name, key, payload))
}

// maxName keeps every key far below what bbolt can store.
const maxName = 4096

// checkName refuses what could not be a key, before it reaches a transaction
// that others share.
func checkName(kind, name string) error {
	switch {
	case name == "":
		return fmt.Errorf("%s is empty", kind)
	case len(name) > maxName:
		return fmt.Errorf("%s %.32q… is longer than %d bytes", kind, name, maxName)
	case strings.ContainsRune(name, 0):
		return fmt.Errorf("%s %q contains a NUL byte", kind, name)
	}
	return nil
}

// bucket returns a bucket that Open has verified to exist.
func bucket(tx *bbolt.Tx, name string) *bbolt.Bucket { return tx.Bucket([]byte(name)) }

// policyPrefix is where a policy's keys begin in an index.
func policyPrefix(policy string) []byte { return append([]byte(policy), 0) }

// indexKey places id among its policy's others.
func indexKey(policy string, id ulid.ULID) []byte {
	return append(policyPrefix(policy), id[:]...)
}

// targetKey names one target of one policy.
func targetKey(policy, target string) []byte {
	return append(policyPrefix(policy), target...)
}
