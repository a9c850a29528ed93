package nomadtest

import (
	"cmp"
	"fmt"
	"time"

	"github.com/alertscaler/alertscaler/scaler/target/standin"
)

// status is the body of GET /v1/job/:id/scale. What it calls JobModifyIndex is
// the job's ModifyIndex, as it is in Nomad.
func (j *job) status() standin.Object {
	placed := standin.Either(j.Stopped, nil, j.started)
	running, healthy := 0, 0
	for _, at := range placed {
		age := time.Since(at)
		if age >= j.StartDelay {
			running++
		}
		if age >= 2*j.StartDelay && j.Type == "service" && j.HealthCheck != "manual" {
			healthy++
		}
	}
	// A job's status is part of it, and Nomad writes it with the allocations.
	return standin.Object{
		"JobID": j.ID, "Namespace": j.Namespace, "JobStopped": j.Stopped,
		"JobCreateIndex": j.created, "JobModifyIndex": j.modified + uint64(running),
		"TaskGroups": standin.Object{j.Group: standin.Object{
			"Desired": j.Count, "Placed": len(placed), "Running": running, "Healthy": healthy, "Unhealthy": 0, "Events": nil,
		}},
	}
}

// describe is the body of GET /v1/job/:id, as far as scaling goes.
func (j *job) describe() standin.Object {
	group := standin.Object{"Name": j.Group, "Count": j.Count, "Scaling": nil, "Update": nil}
	if j.Scaling != nil {
		group["Scaling"] = standin.Object{"Min": j.Scaling.Min, "Max": j.Scaling.Max, "Enabled": true, "Type": "horizontal"}
	}
	group.AddIf(j.Deployments || j.HealthCheck != "", "Update",
		standin.Object{"MaxParallel": 1, "HealthCheck": cmp.Or(j.HealthCheck, "checks")})
	status := standin.Either(j.Stopped, "dead", "running")
	return standin.Object{
		"ID": j.ID, "Name": j.ID, "Namespace": j.Namespace, "Type": j.Type, "Stop": j.Stopped, "Status": status,
		"TaskGroups": []any{group}, "SubmitTime": j.submitted.UnixNano(),
		"CreateIndex": j.created, "ModifyIndex": j.modified, "JobModifyIndex": j.jobModified,
	}
}

// evaluate has the job evaluated after a change. What finds no node waits in a
// second evaluation, which is cancelled by the next change.
func (s *Server) evaluate(j *job) {
	for _, e := range j.evaluations {
		if e["Status"] == "blocked" {
			e["Status"], e["StatusDescription"] = "canceled", "evaluation superseded by a newer one"
		}
	}
	done := s.evaluation(j, "job-scaling", "complete")
	left := j.Count - len(j.started)
	done["QueuedAllocations"] = standin.Object{j.Group: left}
	if left == 0 {
		return
	}
	blocked := s.evaluation(j, "queued-allocs", "blocked")
	blocked["StatusDescription"], blocked["PreviousEval"] = "created to place remaining allocations", done["ID"]
	done["BlockedEval"] = blocked["ID"]
	done["FailedTGAllocs"] = standin.Object{j.Group: standin.Object{
		"NodesEvaluated": 3, "NodesFiltered": 1, "NodesExhausted": 2, "CoalescedFailures": left - 1,
		"ConstraintFiltered": standin.Object{"${attr.kernel.name} = linux": 1}, "DimensionExhausted": standin.Object{"memory": 2},
	}}
}

// evaluation adds one to the job's.
func (s *Server) evaluation(j *job, trigger, status string) standin.Object {
	s.index++
	e := standin.Object{
		"ID": evaluationID(s.index), "Type": j.Type, "TriggeredBy": trigger, "JobID": j.ID, "Namespace": j.Namespace, "Status": status,
		"JobModifyIndex": j.jobModified, "CreateIndex": s.index, "ModifyIndex": s.index, "FailedTGAllocs": nil,
	}
	j.evaluations = append(j.evaluations, e)
	return e
}

func evaluationID(index uint64) string { return fmt.Sprintf("00000000-0000-0000-0000-%012d", index) }
