// Package token holds what the pages about tokens know without drawing: the
// filters of the list and their address, the form of a new token, what a token
// can and cannot do in plain sentences, the commands to try it with, what a
// revocation would break, and how its generations lie in time. It has no state
// and asks no server, so that all of it is tested natively.
package token
