//go:build !linux

package cmd_test

import "syscall"

// child is ended by the test's cleanup alone.
func child() *syscall.SysProcAttr { return nil }
