package testskip

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

func TestStderrOfAnotherProcess(t *testing.T) {
	start := func(stderr *os.File) (pid int) {
		t.Helper()
		c := exec.Command("sleep", "60")
		c.Stderr = stderr
		if err := c.Start(); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = c.Process.Kill(); _ = c.Wait() })
		return c.Process.Pid
	}
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	defer w.Close()
	to, err := stderrOf(start(w))
	if err != nil {
		t.Fatal(err)
	}
	defer to.Close()
	fmt.Fprintln(to, "not run here")
	if line, err := bufio.NewReader(r).ReadString('\n'); err != nil || line != "not run here\n" {
		t.Errorf("got %q and %v, want what was written", line, err)
	}
	file, err := os.Create(filepath.Join(t.TempDir(), "log"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	if _, err := stderrOf(start(file)); err == nil {
		t.Error("got a file that another process writes, want it left alone")
	}
}
