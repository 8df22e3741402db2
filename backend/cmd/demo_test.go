package cmd_test

import (
	"net/http"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gatehouse-portal/gatehouse/shared/api"
	"github.com/gatehouse-portal/gatehouse/shared/client"
)

var secretShown = regexp.MustCompile(`gtk_live_\w+`)

func TestDemo(t *testing.T) {
	p := newPlace(t)
	began := time.Now()
	status, first, log := p.run(t, "demo")
	if status != 0 {
		t.Fatalf("got status %d, want 0\n%s", status, log)
	}
	contains(t, "the log of the first demo", log, "filling the store with demo data")
	took := time.Since(began)
	if took > time.Minute { // some seconds on a machine with nothing else to do
		t.Errorf("got %v, want a few seconds", took)
	}
	t.Logf("filled in %v", took)
	contains(t, "the first demo", first, "Filled the store", "ada@example.com", "owner of Acme Logistics", "auditor of Acme Logistics", "platform admin", "curl -H")
	again := p.must(t, "demo")
	contains(t, "the second demo", again, "nothing was changed", "ada@example.com")
	if strings.Contains(again, "gtk_") {
		t.Error("the second demo shows a secret: where was it kept?")
	}
	s := p.serve(t, "serve", "--demo")
	eventually(t, "whom to sign in as", 10*time.Second, func() bool { return strings.Contains(s.out.String(), "ada@example.com") })
	if strings.Contains(s.out.String(), "changed") {
		t.Errorf("a server over a filled store: got %q, want only whom to sign in as", s.out.String())
	}
	contains(t, "a demo while it is served", p.must(t, "demo"), "nothing was changed")
	wantStatus(t, "the token that was shown", p.url, secretShown.FindString(first), http.StatusOK)
	checkDemo(t, s)
}

// With a catalogue of one's own, as strict as it may be, while it is served.
func TestDemoWithAStrictCatalogue(t *testing.T) {
	p := newPlace(t, "CATALOGUE=catalogue.yaml")
	strict := catalogueWith(
		t,
		[2]string{"default: 90d", "default: 5d"},
		[2]string{"max: 365d", "max: 37d"},
		[2]string{"max_overlap: 7d", "max_overlap: 1h"},
		[2]string{"max: { quota: 6000, window: 1m }", "max: { quota: 600, window: 1m }"},
	)
	write := func(text string) {
		if err := os.WriteFile(p.path("catalogue.yaml"), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write(strings.Replace(strict, "max: 37d", "max: 20d", 1))
	status, _, errs := p.run(t, "demo")
	if status != 1 {
		t.Errorf("a catalogue that the demo does not fit: got status %d, want 1", status)
	}
	contains(t, "the error", errs, "in which tokens may live 37 days")

	write(strict)
	s := p.serve(t, "serve", "--demo")
	eventually(t, "the demo", time.Minute, func() bool { return strings.Contains(s.out.String(), "curl -H") })
	out := s.out.String()
	contains(t, "the demo", out, "Filled the store")
	wantStatus(t, "the token that was shown", p.url, secretShown.FindString(out), http.StatusOK)
	if strings.Contains(s.logged(), `"level":"ERROR"`) {
		t.Errorf("the log has errors:\n%s", s.logged())
	}
}

func TestDemoLeavesAUsedStoreAlone(t *testing.T) {
	p := newPlace(t)
	s := p.serve(t)
	s.signUp("ada@example.com", "Acme")
	for _, served := range []bool{true, false} {
		if !served {
			s.stop()
		}
		out := p.must(t, "demo")
		contains(t, "the demo", out, "has users already, so nothing was changed")
		if strings.Contains(out, "Sign in") {
			t.Errorf("got %q, want nobody to sign in as", out)
		}
	}
	ada := p.serve(t).signIn("ada@example.com")
	if teams, err := ada.Teams(t.Context()); err != nil || len(teams.Data) != 1 {
		t.Errorf("got %v, %v, want the one team", teams, err)
	}
}

// checkDemo looks around in a demo, as its people do.
func checkDemo(t *testing.T, s *process) {
	t.Helper()
	ctx := t.Context()
	roles := map[string]string{}
	for _, email := range []string{"ada", "ben", "cleo", "dora", "gus", "olga"} {
		session, err := s.signIn(email + "@example.com").Session(ctx)
		if err != nil {
			t.Fatal(err)
		}
		if len(session.Teams) != 1 && email != "olga" {
			t.Errorf("%s is in %d teams, want to land in the one", email, len(session.Teams))
		}
		for _, m := range session.Teams {
			if m.Team.Name == "Acme Logistics" {
				roles[email] = m.Role
			}
		}
		if session.User.PlatformAdmin != (email == "olga") {
			t.Errorf("%s: got platform admin %v", email, session.User.PlatformAdmin)
		}
	}
	for email, want := range map[string]string{"ada": "owner", "ben": "admin", "cleo": "developer", "dora": "auditor", "gus": "", "olga": ""} {
		if roles[email] != want {
			t.Errorf("role of %s: got %q, want %q", email, roles[email], want)
		}
	}
	ada := s.signIn("ada@example.com")
	if team, _, err := ada.Team(ctx, ada.team); err != nil || team.Name != "Acme Logistics" {
		t.Fatalf("ada's team: got %v, %v", team.Name, err)
	}
	checkDemoTokens(t, ada)
	checkDemoCalls(t, ada)
	chain, err := ada.Chain(ctx, ada.team)
	if err != nil || !chain.Verified {
		t.Errorf("the chain of events: got %+v, %v, want a verified one", chain, err)
	}
	mine, err := ada.AccountEvents(ctx, client.EventQuery{Action: "user.sign_in_refused"})
	if err != nil || len(mine.Data) != 3 {
		t.Errorf("refused sign-ins of ada: got %d, %v, want 3", len(mine.Data), err)
	}
	if strings.Contains(s.logged(), `"level":"ERROR"`) {
		t.Errorf("the log has errors:\n%s", s.logged())
	}
}

func checkDemoTokens(t *testing.T, ada *partner) {
	t.Helper()
	list, err := ada.Tokens(t.Context(), ada.team, client.TokenQuery{Limit: 100})
	if err != nil {
		t.Fatal(err)
	}
	statuses, envs, rotating, unused, soon, ruled := map[string]int{}, map[string]int{}, 0, 0, 0, 0
	for _, tok := range list.Data {
		statuses[tok.Status]++
		envs[tok.Env]++
		live := 0
		for _, g := range tok.Generations {
			if g.Status == api.GenerationActive || g.Status == api.GenerationRetiring {
				live++
			}
		}
		if tok.Status == api.TokenActive && live == 2 {
			rotating++
		}
		if tok.Status == api.TokenActive && tok.LastUsedAt.IsZero() {
			unused++
		}
		if left := time.Until(tok.ExpiresAt.Time); tok.Status == api.TokenActive && left < 14*24*time.Hour {
			soon++
		}
		if len(tok.Addresses) > 0 {
			ruled++
		}
	}
	for _, status := range []string{api.TokenPending, api.TokenActive, api.TokenSuspended, api.TokenExpired, api.TokenRevoked} {
		if statuses[status] == 0 {
			t.Errorf("no token is %s: %v", status, statuses)
		}
	}
	if rotating == 0 || unused == 0 || soon == 0 || ruled == 0 || envs["live"] == 0 || envs["test"] == 0 {
		t.Errorf("got %d rotating, %d unused, %d expiring soon, %d with addresses, %v, want some of each", rotating, unused, soon, ruled, envs)
	}
}

func checkDemoCalls(t *testing.T, ada *partner) {
	t.Helper()
	usage, err := ada.Usage(t.Context(), ada.team, client.UsageQuery{
		From: time.Now().AddDate(0, 0, -31), To: time.Now().Add(time.Hour), Step: "day", By: "status",
	})
	if err != nil {
		t.Fatal(err)
	}
	var total int64
	perStatus, perDay := map[string]int64{}, map[string]int64{}
	for _, series := range usage.Series {
		for _, point := range series.Points {
			total += point.Calls
			perStatus[series.Key] += point.Calls
			perDay[point.At.Format(time.DateOnly)] += point.Calls
		}
	}
	if total < 8_000 || total > 20_000 {
		t.Errorf("got %d calls, want 8,000 to 20,000", total)
	}
	for _, status := range []string{"200", "201", "401", "403", "404", "412", "422", "429", "503"} {
		if perStatus[status] == 0 {
			t.Errorf("no call has the status %s: %v", status, perStatus)
		}
	}
	if perStatus["200"]+perStatus["201"] < total*85/100 {
		t.Errorf("got %v, want mostly successes", perStatus)
	}
	with := 0
	for _, n := range perDay {
		if n > 50 {
			with++
		}
	}
	if with < 28 {
		t.Errorf("got calls on %d days, want about thirty: %v", with, perDay)
	}
	// A week has its rhythm: the busiest day is far from the quietest.
	week := slices.Collect(func(yield func(int64) bool) {
		for d := 2; d < 9; d++ {
			if !yield(perDay[time.Now().UTC().AddDate(0, 0, -d).Format(time.DateOnly)]) {
				return
			}
		}
	})
	if slices.Max(week) < 3*slices.Min(week)/2 {
		t.Errorf("got %v calls a day in a week, want a rhythm", week)
	}
	t.Logf("%d calls: %v", total, perStatus)
}

// Everybody in a demo has a password that this page tells.
func TestDemoOnlyOnThisMachine(t *testing.T) {
	p := newPlace(t, "PUBLIC_URL=https://portal.example.com", "MAIL=smtp://127.0.0.1:"+closedPort(t)+"?tls=none")
	status, out, errs := p.run(t, "demo")
	if status != 1 || out != "" {
		t.Errorf("got status %d and %q, want 1 and nothing", status, out)
	}
	contains(t, "the refusal", errs, "a password that is known", "GATEHOUSE_PUBLIC_URL is https://portal.example.com")
}
