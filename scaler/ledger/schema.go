package ledger

import (
	"fmt"
	"strings"

	"github.com/oklog/ulid/v2"
	"go.etcd.io/bbolt"
)

// schemaVersion grows when an older alertscaler could no longer read the file.
const schemaVersion = 1

// The buckets. Keys that begin with an ID hold its 16 bytes, so that bbolt's
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
	bucketRequested         = "requested"           // policy NUL target → requested
	bucketAlerts            = "alerts"              // fingerprint → alerts.Alert
	bucketPauses            = "pauses"              // policy → policy.Pause
	bucketLearnt            = "learnt"              // policy NUL resource → a learner's state

	keySchema = "schema"
	keyProbe  = "probe" // what was written last to try the disk
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
