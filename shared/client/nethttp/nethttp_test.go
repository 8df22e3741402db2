package nethttp

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/gatehouse-portal/gatehouse/shared/api"
	"github.com/gatehouse-portal/gatehouse/shared/client"
)

func TestTransport(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/portal/v1/sessions":
			http.SetCookie(w, &http.Cookie{Name: "gatehouse", Value: "c", Path: "/"})
			io.WriteString(w, `{"status":"signed_in"}`)
		case "/portal/v1/session":
			if c, err := r.Cookie("gatehouse"); err != nil || c.Value != "c" || r.Header.Get("Origin") == "" {
				w.WriteHeader(401)
				return
			}
			io.WriteString(w, `{"csrf_token":"x"}`)
		case "/api/v1/token":
			if r.Header.Get("Authorization") != "Bearer tok" || r.Header.Get("Origin") != "" {
				w.WriteHeader(401)
				return
			}
			io.WriteString(w, `{"id":"abc"}`)
		}
	}))
	portal := Portal(server.URL)
	if r, err := portal.SignIn(t.Context(), api.SignIn{}); err != nil || r.Status != api.SignedIn {
		t.Fatal(r, err)
	}
	if s, err := portal.Session(t.Context()); err != nil || s.CSRFToken != "x" {
		t.Errorf("the cookie was not kept: %v %v", s, err)
	}
	if w, err := Bearer(server.URL, "tok").WhoAmI(t.Context()); err != nil || w.ID != "abc" {
		t.Error(w, err)
	}
	server.Close()
	if _, err := Bearer(server.URL, "tok").WhoAmI(t.Context()); !errors.Is(err, client.ErrOffline) {
		t.Errorf("got %v, want ErrOffline", err)
	}
}
