package httpapi_test

import (
	"bytes"
	"log/slog"
	"strings"
	"sync"
	"testing"

	"github.com/gatehouse-portal/gatehouse/backend/httpapi"
	"github.com/gatehouse-portal/gatehouse/shared/api"
)

// lockedBuffer is a log that a server writes while a test reads.
type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

func TestCrashReports(t *testing.T) {
	log := &lockedBuffer{}
	w := onOneStore(t, func(o *httpapi.Options) { o.Log = slog.New(slog.NewJSONHandler(log, nil)) })
	b := w.browser(nextAddress())
	const path = "/portal/v1/crash-reports"
	secret := "gtk_live_7Hq2LmZx9RtB_0123456789ABCDEFGHIJKLMNOPQRSTUV2UU33A"
	code := strings.Repeat("c0de", 12)
	b.call("POST", path, api.CrashReport{Version: "v1", Path: "/verify/" + code, Detail: "panic: no such row\n" + secret + " " + code}).want(t, 204)
	text := log.String()
	if strings.Count(text, "\n") != 1 || !strings.Contains(text, "the browser program crashed") || !strings.Contains(text, "no such row") || !strings.Contains(text, `"/verify/…"`) {
		t.Errorf("the log: %s", text)
	}
	if strings.Contains(text, secret[10:]) || strings.Contains(text, code) {
		t.Errorf("the log holds a secret: %s", text)
	}
	b.call("POST", path, api.CrashReport{Detail: strings.Repeat("x", 2001)}).problem(t, 422, "invalid")
	b.call("POST", path, api.CrashReport{}, "Sec-Fetch-Site", "cross-site").problem(t, 403, "cross-site-request")
	for range 10 {
		b.call("POST", path, api.CrashReport{Path: "/teams/tea_1"})
	}
	b.call("POST", path, api.CrashReport{}).problem(t, 429, "too-many-requests")
	if n := strings.Count(log.String(), "\n"); n != 10 {
		t.Errorf("%d lines, want the 10 that are allowed", n)
	}
}
