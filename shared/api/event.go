package api

import "github.com/gatehouse-portal/gatehouse/shared/audit"

// Event is one audit event with what a reader needs beside it: the names behind
// the ids, and the sentence that the portal shows. Only the embedded fields are
// hashed.
type Event struct {
	audit.Event
	Summary    string `json:"summary"`
	ActorName  string `json:"actor_name"`
	TargetName string `json:"target_name"`
}
