// Package cmd is the gatehouse command line: serve, and what an operator does
// beside it. One file per command; each is a struct of its arguments with a Run
// method, listed in [commands].
//
// A store belongs to one process when it is SQLite. What an operator asks of it
// while the portal is served therefore goes to the server, over a Unix socket
// beside the file (control.go); without a server, and always with MongoDB, the
// command opens the store itself (node.go). Both run the same operations
// (operate.go).
package cmd
