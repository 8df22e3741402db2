package cmd

import (
	"fmt"
	"runtime/debug"
)

// released is set by the build of a release:
//
//	-ldflags "-X github.com/gatehouse-portal/gatehouse/backend/cmd.released=v1.2.3"
var released string

// version is `gatehouse version`.
type version struct{}

// Run prints the version.
func (version) Run(sh *shell) error {
	info, _ := debug.ReadBuildInfo()
	goVersion := ""
	if info != nil {
		goVersion = ", " + info.GoVersion
	}
	_, err := fmt.Fprintf(sh.out, "gatehouse %s%s\n", programVersion(), goVersion)
	return err
}

// programVersion names what runs: the release, or the commit it was built from.
func programVersion() string {
	if released != "" {
		return released
	}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	revision, changed := "", ""
	for _, s := range info.Settings {
		switch {
		case s.Key == "vcs.revision":
			revision = s.Value[:min(len(s.Value), 12)]
		case s.Key == "vcs.modified" && s.Value == "true":
			changed = "+changes"
		}
	}
	if revision == "" {
		return "unreleased"
	}
	return "unreleased, commit " + revision + changed
}
