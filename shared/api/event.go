package api

import "github.com/gatehouse-portal/gatehouse/shared/audit"

// Event is one audit event: the canonical fields and their hash, and beside
// them what a reader needs: the names behind the ids, and the sentence that the
// portal shows. [Event.Audit] is what is hashed.
type Event struct {
	V          int            `json:"v"`
	Chain      string         `json:"chain"`
	Seq        int64          `json:"seq"`
	At         Time           `json:"at"`
	Actor      string         `json:"actor"`  // user id, token id, "system" or "anonymous"
	Action     string         `json:"action"` // noun.verb: token.created
	Target     string         `json:"target"`
	Data       map[string]any `json:"data"`
	Prev       string         `json:"prev"`
	Hash       string         `json:"hash"`
	Summary    string         `json:"summary"`
	ActorName  string         `json:"actor_name"`
	TargetName string         `json:"target_name"`
}

// Audit returns the event without what stands beside it.
func (e Event) Audit() audit.Event {
	return audit.Event{
		V: e.V, Chain: e.Chain, Seq: e.Seq, At: e.At.Time, Actor: e.Actor, Action: e.Action,
		Target: e.Target, Data: e.Data, Prev: e.Prev, Hash: e.Hash,
	}
}

// ChainState answers GET …/events/chain: the newest event of the chain, after
// the server verified all of it.
type ChainState struct {
	Chain    string `json:"chain"`
	First    int64  `json:"first"` // seq of the oldest event that is kept, 0 if there is none
	Seq      int64  `json:"seq"`
	Hash     string `json:"hash"`
	Verified bool   `json:"verified"`
	Detail   string `json:"detail"` // what is wrong, "" if nothing
	At       Time   `json:"at"`     // of the check
}
