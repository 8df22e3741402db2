// Package mongo keeps the nouns of the portal in MongoDB: for production, and
// for many processes that share one database. It alone imports the driver.
//
// # Promises
//
// Every write waits until a majority of the replica set has it in its journal,
// and every read is one of the primary with read concern majority, so that what
// one process answered, every other reads at once. A change of several
// documents is one transaction with read concern snapshot. What a lost
// connection or an election interrupts is repeated until a deadline, and then
// fails with [portal.ErrUnavailable].
//
// A change of the primary bends the first promise in two ways. Cut off from the
// others, a primary does not know for a few seconds that it is none any more,
// and answers reads with what it had. And a new primary has every change that
// was answered, but a majority read shows it only once the new primary has
// learned again that a majority has it: until its first own write is confirmed,
// a read may miss the last changes that the old one answered. A linearizable
// read would mend both, for a write to a majority at every look-up.
//
// # Layout
//
// One replica set is enough for a long time, and a sharded cluster works
// unchanged when it is not: a name is unique because it is an _id (addresses,
// token_names) or behind the shard key (events by {chain, seq}, rollups by
// {team, at, …}), no counter is shared by all teams, and the decision about a
// token reads by _id. Shard keys: tokens, users, teams, sessions, orders and the
// small collections by {_id: "hashed"}; members by {team, user}; events by
// {chain, seq}; calls and rollups by {team, at}, so that a batch that is sent
// again comes to the shard that has it; rollup_log by {team, _id}.
//
// What every request leaves behind is kept in few documents, because it is
// documents that cost the server: the calls of one team in one batch and hour
// are one block in calls, packed by backend/block, and its sums are one entry of
// rollup_log, until each process now and then adds its own to those in rollups.
//
// Documents are written and read through structs with bson tags. Nothing that
// came from outside is ever a field name, an operator or a regular expression:
// texts are values, which may hold any character, NUL included. Searching in
// names is by $indexOfBytes with a literal, not by a regular expression, so
// there is nothing to quote. The data of an event is kept as JSON text, because
// its keys are not ours to choose, and because the text gives back exactly the
// values that were hashed.
//
// # Roads not taken
//
// There are no TTL indexes. A server removes by its own clock what ends by ours,
// so a server whose clock is ahead would end sessions: a decision. [Store.Prune]
// removes what ended, on both stores alike.
//
// There is no document that counts the events of a chain. The newest event is
// found by the index that makes forks impossible, so nothing can disagree with
// the chain.
package mongo
