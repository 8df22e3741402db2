// Package portal holds the rules of Gatehouse: who may do what, what a token
// is worth at an instant, and what every change leaves in the audit log. One
// file per noun has its type, its methods and what it needs from storage.
//
// It imports the standard library, shared/* and backend/secret only, so that
// every rule is read and tested here, without a database and without HTTP.
//
// # How a change is made
//
// A method that changes something reads it, applies the rule and writes it
// inside [Store.Atomically], together with its audit event. There is no change
// without its event and no event without its change. Appending to a chain
// serialises all changes of that team, so a rule that looks before it writes
// (a limit per team, the last owner) holds under concurrency.
//
// # How a session ends
//
// A person is known by [Portal.Authenticate], which reads session and account
// when the request arrives, so one that starts after the answer to a sign-out, or
// to a change of the password, acts for nobody. What was under way then may go
// either way, but not late: every change holds its session in its transaction
// (appendAs), and to end the session waits for it or comes first. So once the
// answer is there, nothing more is changed for that session; what it could only
// read, it may have read a moment later. Whatever disables an account ends its
// sessions in the same transaction.
//
// # How a decision is made
//
// [Portal.Decide] reads the record of the token after the request arrived, on
// every request: no copy that could be stale stands in between, so a revocation
// binds every request that starts after its answer, in every process. What is
// cheap about it is that many requests share one query ([Coalescer]).
//
// The rate limit of a token counts in each process alone.
package portal
