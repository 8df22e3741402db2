package cmd

import (
	"io"
	"log/slog"
	"time"
)

// newLog returns a logger that writes JSON lines, or what a person reads on a
// terminal.
func newLog(w io.Writer, terminal bool) *slog.Logger {
	if !terminal {
		return slog.New(slog.NewJSONHandler(w, nil))
	}
	return slog.New(slog.NewTextHandler(w, &slog.HandlerOptions{ReplaceAttr: short}))
}

// short writes the time of a line as the clock on the wall does, and its level
// only when there is something to worry about.
func short(groups []string, a slog.Attr) slog.Attr {
	switch {
	case len(groups) > 0:
	case a.Key == slog.TimeKey:
		a.Value = slog.StringValue(a.Value.Time().Format(time.TimeOnly))
	case a.Key == slog.LevelKey && a.Value.String() == slog.LevelInfo.String():
		return slog.Attr{}
	}
	return a
}
