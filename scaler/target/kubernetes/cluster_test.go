package kubernetes

import "testing"

// TestCluster runs all that needs a cluster on one, as it takes a while to
// start. Those that stop parts of it come last, and alone.
func TestCluster(t *testing.T) {
	t.Parallel()
	c := startCluster(t)
	t.Run("Shared", func(t *testing.T) {
		for name, test := range map[string]func(*testing.T, *testCluster){
			"Deployment": testDeployment, "StatefulSet": testStatefulSet, "CustomResource": testCustomResource,
			"Answers": testAnswers, "NoAnswers": testNoAnswers, "Throttled": testThrottled, "Conflicts": testConflicts,
			"Autoscaler": testAutoscaler, "Owner": testOwner, "Kinds": testKinds, "Role": testRole,
			"ReadyReplicas": testReadyReplicas, "Plugin": testPlugin,
			"NoRoom": testNoRoom, "Unschedulable": testUnschedulable,
			"Fleet": testFleet, "NodePool": testNodePool, "Renewed": testRenewed,

			"Victims": testVictims, "Marks": testMarks, "FixedOrder": testFixedOrder, "Order": testOrder,
			"VictimsRole": testVictimsRole,
			"Discovery":   testDiscovery, "DiscoveryPages": testDiscoveryPages, "DiscoveryRole": testDiscoveryRole,
		} {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				test(t, c)
			})
		}
	})
	t.Run("ControllersStop", func(t *testing.T) { testControllersStop(t, c) })
	t.Run("VictimsOfMany", func(t *testing.T) { testVictimsOfMany(t, c) })
	t.Run("ServerStops", func(t *testing.T) { testServerStops(t, c) })
}
