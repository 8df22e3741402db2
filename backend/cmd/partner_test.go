package cmd_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gatehouse-portal/gatehouse/deploy"
	"github.com/gatehouse-portal/gatehouse/shared/api"
	"github.com/gatehouse-portal/gatehouse/shared/client"
	"github.com/gatehouse-portal/gatehouse/shared/client/nethttp"
)

const password = "correct horse gatehouse staple"

// partner is somebody signed in at a server.
type partner struct {
	*client.Client
	t       *testing.T
	url     string
	browser *http.Client
	team    string
}

// at returns a browser at a server.
func at(t *testing.T, url string) *partner {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	p := &partner{t: t, url: url, browser: &http.Client{Jar: jar}}
	p.Client = client.New(&nethttp.Transport{Base: url, HTTP: p.browser})
	return p
}

// signUp makes an account by the mail in the outbox.
func (p *process) signUp(email, team string) *partner {
	t := p.t
	t.Helper()
	who := at(t, p.url)
	ctx := t.Context()
	if err := who.SignUp(ctx, api.SignUp{Name: "Ada", Email: email, Password: password, TeamName: team}); err != nil {
		t.Fatal(err)
	}
	code := ""
	eventually(t, "the mail of the sign-up", 10*time.Second, func() bool {
		list, err := who.Outbox(ctx)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range list.Data {
			if m.To == email {
				full, err := who.OutboxMail(ctx, m.ID)
				if err != nil || len(full.Links) != 1 {
					t.Fatalf("got the mail %+v (%v), want one with a link", full, err)
				}
				_, code, _ = strings.Cut(full.Links[0], "/verify/")
			}
		}
		return code != ""
	})
	if got, err := who.VerifyEmail(ctx, code); err != nil || got.Status != api.SignedIn {
		t.Fatalf("verify: got %v, %v, want %s", got, err, api.SignedIn)
	}
	who.enter()
	return who
}

// signIn opens a session of an account that is there.
func (p *process) signIn(email string) *partner {
	p.t.Helper()
	who := at(p.t, p.url)
	if got, err := who.SignIn(p.t.Context(), api.SignIn{Email: email, Password: password}); err != nil || got.Status != api.SignedIn {
		p.t.Fatalf("sign in %s: got %v, %v, want %s", email, got, err, api.SignedIn)
	}
	who.enter()
	return who
}

// enter reads the session, for its cross-site token and the first team.
func (p *partner) enter() {
	p.t.Helper()
	s, err := p.Session(p.t.Context())
	if err != nil {
		p.t.Fatal(err)
	}
	p.team = s.Teams[0].Team.ID
}

// issue makes a token that may read and write orders, at the highest rate of the
// example catalogue.
func (p *partner) issue(name string) api.IssuedToken {
	p.t.Helper()
	return p.issueAt(name, 6000)
}

// issueAt makes a token that may be used so often in a minute.
func (p *partner) issueAt(name string, quota int) api.IssuedToken {
	p.t.Helper()
	abilities := []string{"orders:read", "orders:write"}
	issued, err := p.CreateToken(p.t.Context(), p.team, "", api.CreateToken{
		Name: name, Env: "live", Abilities: &abilities, RateLimit: &api.RateLimit{Quota: quota, WindowSeconds: 60},
	})
	if err != nil {
		p.t.Fatal(err)
	}
	return issued
}

// export downloads the team's events.
func (p *partner) export() string {
	p.t.Helper()
	resp, err := p.browser.Get(p.url + "/portal/v1/teams/" + p.team + "/events/export")
	if err != nil {
		p.t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK {
		p.t.Fatalf("export: got status %d, %v", resp.StatusCode, err)
	}
	return string(text)
}

// calls returns the request ids of every call that is stored.
func (p *partner) calls() map[string]api.Call {
	p.t.Helper()
	found := map[string]api.Call{}
	q := client.CallQuery{}
	q.Limit = 100
	for {
		page, err := p.Calls(p.t.Context(), p.team, q)
		if err != nil {
			p.t.Fatal(err)
		}
		for _, c := range page.Data {
			found[c.RequestID] = c
		}
		if page.NextCursor == nil {
			return found
		}
		q.Cursor = *page.NextCursor
	}
}

// call asks who a secret is, and returns the status and the id of the request.
func call(ctx context.Context, c *http.Client, url, secret string) (status int, request string, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url+"/api/v1/token", nil)
	if err != nil {
		return 0, "", err
	}
	req.Header.Set("Authorization", "Bearer "+secret)
	resp, err := c.Do(req)
	if err != nil {
		return 0, "", err
	}
	defer resp.Body.Close()
	_, err = io.Copy(io.Discard, resp.Body)
	return resp.StatusCode, resp.Header.Get("X-Request-Id"), err
}

func wantStatus(t *testing.T, what, url, secret string, want int) {
	t.Helper()
	if got, _, err := call(t.Context(), http.DefaultClient, url, secret); err != nil || got != want {
		t.Errorf("%s: got %d, %v, want %d", what, got, err, want)
	}
}

// load is what clients did until the server was gone.
type load struct {
	mu       sync.Mutex
	answered map[string]time.Time // when, by request id
	receipts []api.Receipt
	clients  sync.WaitGroup
}

// catalogueWith returns the example catalogue with texts of it replaced.
func catalogueWith(t *testing.T, changes ...[2]string) string {
	t.Helper()
	catalogue := deploy.Catalogue()
	for _, change := range changes {
		if !strings.Contains(catalogue, change[0]) {
			t.Fatalf("the example catalogue has no %q any more", change[0])
		}
		catalogue = strings.Replace(catalogue, change[0], change[1], 1)
	}
	return catalogue
}

// loadQuota is more calls in a minute than the clients of a load make: of those
// beyond a limit not all are recorded.
const loadQuota = 1_000_000

// allowLoad gives a place a catalogue with which a load has no limit.
func (p *place) allowLoad(t *testing.T) {
	t.Helper()
	catalogue := catalogueWith(t, [2]string{"max: { quota: 6000, window: 1m }", fmt.Sprintf("max: { quota: %d, window: 1m }", loadQuota)})
	if err := os.WriteFile(p.path("catalogue.yaml"), []byte(catalogue), 0o600); err != nil {
		t.Fatal(err)
	}
	p.environ = append(p.environ, "GATEHOUSE_CATALOGUE=catalogue.yaml")
}

// work starts clients that call the API, and one that changes a token, until
// the server does not answer. Its place allows a load.
func work(t *testing.T, who *partner) *load {
	t.Helper()
	l := &load{answered: map[string]time.Time{}}
	secret, changed := who.issueAt("ERP", loadQuota).Secret, who.issue("switched").Token.ID
	for range 4 {
		l.clients.Go(func() {
			c := &http.Client{Transport: &http.Transport{}}
			for {
				status, id, err := call(t.Context(), c, who.url, secret)
				if err != nil {
					return
				}
				if status != http.StatusOK {
					t.Errorf("a call of the load: got %d, want 200", status)
					return
				}
				l.mu.Lock()
				l.answered[id] = time.Now()
				l.mu.Unlock()
			}
		})
	}
	l.clients.Go(func() {
		for {
			for _, change := range []func(context.Context, string, string, api.Reason) (api.Receipt, error){who.SuspendToken, who.ResumeToken} {
				time.Sleep(10 * time.Millisecond) // a person may not ask for any number of changes
				r, err := change(t.Context(), who.team, changed, api.Reason{})
				if client.Status(err) == http.StatusTooManyRequests {
					t.Errorf("a change under load: got %v, want it made", err)
				}
				if err != nil {
					return
				}
				l.mu.Lock()
				l.receipts = append(l.receipts, r)
				l.mu.Unlock()
			}
		}
	})
	return l
}

func (l *load) count() (calls, changes int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.answered), len(l.receipts)
}

// busy waits until the clients have done a lot, for longer than calls wait to be
// recorded.
func (l *load) busy(t *testing.T) {
	t.Helper()
	began := time.Now()
	t.Cleanup(func() {
		if t.Failed() {
			calls, changes := l.count()
			t.Logf("%d calls and %d changes were answered, %v after the beginning", calls, changes, time.Since(began))
		}
	})
	eventually(t, "a lot of calls", 30*time.Second, func() bool {
		calls, changes := l.count()
		return calls > 2000 && changes > 20 && time.Since(began) > 1200*time.Millisecond
	})
}

// checkEvents holds that every change that was answered is in the log, at the
// revision of its receipt, and that the chain is whole.
func (l *load) checkEvents(who *partner) {
	t := who.t
	t.Helper()
	chain, err := who.Chain(t.Context(), who.team)
	if err != nil || !chain.Verified {
		t.Fatalf("the chain: got %+v, %v, want a verified one", chain, err)
	}
	recorded := map[int64]string{}
	q := client.EventQuery{}
	q.Limit = 100
	for {
		page, err := who.Events(t.Context(), who.team, q)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range page.Data {
			recorded[e.Seq] = e.Action
		}
		if page.NextCursor == nil {
			break
		}
		q.Cursor = *page.NextCursor
	}
	for _, r := range l.receipts {
		want := "token.suspended"
		if r.Status == api.TokenActive {
			want = "token.resumed"
		}
		if got := recorded[r.Rev]; got != want {
			t.Errorf("event %d: got %q, want %q, which was answered", r.Rev, got, want)
		}
	}
}
