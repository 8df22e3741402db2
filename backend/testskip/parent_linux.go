package testskip

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"syscall"
)

// stderrOf opens the standard error of a process, if that is a pipe or a device.
// A file is left alone: it would have two writers, each at a place of its own.
func stderrOf(pid int) (*os.File, error) {
	name := fmt.Sprintf("/proc/%d/fd/2", pid)
	info, err := os.Stat(name)
	if err != nil {
		return nil, err
	}
	if info.Mode()&(fs.ModeNamedPipe|fs.ModeCharDevice) == 0 {
		return nil, errors.New("it is neither a pipe nor a device")
	}
	return os.OpenFile(name, os.O_WRONLY|syscall.O_NONBLOCK, 0)
}
