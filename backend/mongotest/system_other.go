//go:build !linux

package mongotest

import "syscall"

// dieWithParent has no counterpart here: the janitor alone ends what is left.
func dieWithParent() *syscall.SysProcAttr { return nil }

// ownGroup is left to the system here.
func ownGroup() *syscall.SysProcAttr { return nil }

// lockFile is not needed here, because nothing is fetched.
func lockFile(string) (unlock func(), err error) { return func() {}, nil }

// fastDir is the ordinary directory for temporary files.
func fastDir() string { return "" }
