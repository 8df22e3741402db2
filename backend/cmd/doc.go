// Package cmd is the gatehouse command line: serve, and what an operator does
// beside it. One file per command. Exit status 0 means done, 1 failed, 2 used
// wrongly.
package cmd
