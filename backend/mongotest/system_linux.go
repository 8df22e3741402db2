package mongotest

import (
	"os"
	"syscall"
)

// dieWithParent makes the system end the child when the thread that started it
// ends, which [daemon] arranges to be when this process does.
func dieWithParent() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL, Setpgid: true}
}

// ownGroup keeps an interrupt typed at the terminal from the child.
func ownGroup() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setpgid: true} }

// lockFile waits for the lock on a file, which it makes, and returns how to
// give it back.
func lockFile(name string) (unlock func(), err error) {
	f, err := os.OpenFile(name, os.O_CREATE|os.O_RDWR, 0o644)
	if err != nil {
		return nil, err
	}
	for {
		err = syscall.Flock(int(f.Fd()), syscall.LOCK_EX)
		if err != syscall.EINTR {
			break
		}
	}
	if err != nil {
		f.Close()
		return nil, err
	}
	return func() { f.Close() }, nil
}

// fastDir returns where tests keep their data: in memory if there is room for
// it, because a test's writes need not outlive the machine and waiting for a
// disk is most of their time.
func fastDir() string {
	const dir, room = "/dev/shm", 4 << 30
	var fs syscall.Statfs_t
	if err := syscall.Statfs(dir, &fs); err != nil || fs.Bavail*uint64(fs.Bsize) < room {
		return ""
	}
	if f, err := os.CreateTemp(dir, "gatehouse-"); err != nil {
		return ""
	} else if f.Close() != nil || os.Remove(f.Name()) != nil {
		return ""
	}
	return dir
}
