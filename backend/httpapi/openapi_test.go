package httpapi_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/gatehouse-portal/gatehouse/shared/api"
)

type parameter struct {
	Name   string         `json:"name"`
	Schema map[string]any `json:"schema"`
}

type openAPI struct {
	Paths map[string]map[string]struct {
		OperationID string                `json:"operationId"`
		Parameters  []parameter           `json:"parameters"`
		Security    []map[string][]string `json:"security"`
		RequestBody struct {
			Required bool           `json:"required"`
			Content  map[string]any `json:"content"`
		} `json:"requestBody"`
		Responses map[string]struct {
			Content map[string]struct {
				Schema struct {
					Ref string `json:"$ref"`
				} `json:"schema"`
			} `json:"content"`
		} `json:"responses"`
	} `json:"paths"`
	Components struct {
		Schemas map[string]struct {
			Properties map[string]any `json:"properties"`
		} `json:"schemas"`
	} `json:"components"`
}

func TestOpenAPIDescribesEveryRoute(t *testing.T) {
	w := onOneStore(t, nil)
	a := w.integration("").call("GET", "/openapi.json", nil).want(t, 200)
	spec := into[openAPI](t, a)
	var described, served []string
	ids := map[string]bool{}
	for path, ops := range spec.Paths {
		for method, op := range ops {
			described = append(described, strings.ToUpper(method)+" "+path)
			if ids[op.OperationID] {
				t.Errorf("the operation id %s stands twice", op.OperationID)
			}
			ids[op.OperationID] = true
		}
	}
	param := regexp.MustCompile(`:(\w+)`)
	for _, r := range goldenRoutes(t) {
		path := param.ReplaceAllString(r[1], "{$1}")
		served = append(served, r[0]+" "+path)
		op := spec.Paths[path][strings.ToLower(r[0])]
		want := "[]"
		switch {
		case strings.HasPrefix(r[2], "session"):
			want = "[map[sessionCookie:[]]]"
		case strings.HasPrefix(r[2], "token"):
			_, abilities, _ := strings.Cut(r[2], "with ")
			want = "[map[bearerAuth:[" + strings.ReplaceAll(abilities, ",", "") + "]]]"
		}
		if got := fmt.Sprint(op.Security); got != want {
			t.Errorf("%s: got security %s, want %s", r[1], got, want)
		}
	}
	slices.Sort(described)
	slices.Sort(served)
	if !slices.Equal(described, served) {
		t.Errorf("described are %v,\nserved are %v", described, served)
	}
	for _, ref := range regexp.MustCompile(`"#/components/schemas/([^"]+)"`).FindAllSubmatch(a.body, -1) {
		if _, ok := spec.Components.Schemas[string(ref[1])]; !ok {
			t.Errorf("the schema %s is referred to but not there", ref[1])
		}
	}
}

// A body that may be left out says so, and a page has the bounds that the server
// keeps.
func TestOpenAPIDescribesRequests(t *testing.T) {
	w := onOneStore(t, nil)
	spec := into[openAPI](t, w.integration("").call("GET", "/openapi.json", nil).want(t, 200))
	ada := w.signUp("Ada")
	limits := 0
	for path, ops := range spec.Paths {
		for method, op := range ops {
			for _, p := range op.Parameters {
				if p.Name == "limit" {
					limits++
					if got := fmt.Sprint(p.Schema); got != "map[default:50 maximum:100 minimum:1 type:integer]" {
						t.Errorf("%s %s: got the limit %s", method, path, got)
					}
				}
			}
			if op.RequestBody.Content == nil {
				continue
			}
			if _, ok := op.RequestBody.Content["application/merge-patch+json"]; ok != (method == "patch") {
				t.Errorf("%s %s: takes a merge patch: %v", method, path, ok)
			}
			who := ada.client
			if strings.HasPrefix(path, "/api/") {
				who = w.integration(ada.token("api"+method+path, "orders:read", "orders:write", "token:rotate").Secret)
			}
			at := strings.NewReplacer("{team}", ada.team, "{id}", ada.token(path).Token.ID).Replace(path)
			status := who.call(strings.ToUpper(method), at, "", "Content-Type", "application/json").status
			if refused := status == 400; refused != op.RequestBody.Required {
				t.Errorf("%s %s: no body made a %d, required is %v", method, path, status, op.RequestBody.Required)
			}
		}
	}
	if limits < 7 {
		t.Errorf("got %d lists with a limit", limits)
	}
}

// Whatever a request is refused for, its status is among those that the
// operation lists, and the response of that status names the problem type.
func TestOpenAPINamesEveryRefusal(t *testing.T) {
	w := onOneStore(t, nil)
	spec := into[openAPI](t, w.integration("").call("GET", "/openapi.json", nil).want(t, 200))
	s := newStrange(t, w)
	r := rand.New(rand.NewPCG(20261126, 1))
	param := regexp.MustCompile(`:(\w+)`)
	refused := map[int]int{}
	for range 15 {
		for _, route := range goldenRoutes(t) {
			if ends(route) {
				continue
			}
			status := s.once(r, route)
			op := spec.Paths[param.ReplaceAllString(route[1], "{$1}")][strings.ToLower(route[0])]
			if _, listed := op.Responses[strconv.Itoa(status)]; status >= 400 && status != 405 && !listed { // 405: a path of another route
				t.Errorf("%s %s can be refused with %d", route[0], route[1], status)
			}
			refused[status]++
		}
	}
	for _, path := range []string{ // what can be asked only so often, so rarely that no request above was refused for it
		"/portal/v1/sign-up", "/portal/v1/verify-email", "/portal/v1/verify-email/resend", "/portal/v1/sessions", "/portal/v1/session/confirm",
		"/portal/v1/account/password", "/portal/v1/teams", "/portal/v1/teams/{team}/tokens", "/portal/v1/teams/{team}/tokens/{id}/rotate",
		"/portal/v1/crash-reports", "/api/v1/orders", "/portal/v1/teams/{team}/tokens/{id}/resume",
		"patch /portal/v1/account", "patch /portal/v1/teams/{team}", "patch /portal/v1/teams/{team}/tokens/{id}",
		"get /portal/v1/teams/{team}/events/chain", "get /portal/v1/teams/{team}/events/export",
	} {
		method := "post"
		if before, after, ok := strings.Cut(path, " "); ok {
			method, path = before, after
		}
		if _, listed := spec.Paths[path][method].Responses["429"]; !listed {
			t.Errorf("%s %s can be refused with 429", method, path)
		}
	}
	if refused[400] == 0 || refused[404] == 0 || refused[415] == 0 || refused[422] == 0 {
		t.Errorf("got only the statuses %v", refused)
	}
}

func TestOpenAPISharesEveryProblem(t *testing.T) {
	w := onOneStore(t, nil)
	c := w.integration("")
	type response struct {
		Description string                    `json:"description"`
		Headers     map[string]map[string]any `json:"headers"`
		Content     map[string]struct {
			Schema struct {
				AllOf []struct {
					Properties map[string]struct {
						Enum  []string `json:"enum"`
						Const int      `json:"const"`
					} `json:"properties"`
				} `json:"allOf"`
			} `json:"schema"`
		} `json:"content"`
	}
	a := c.call("GET", "/openapi.json", nil).want(t, 200)
	shared := into[struct {
		Components struct {
			Responses map[string]response `json:"responses"`
		} `json:"components"`
	}](t, a).Components.Responses
	types := map[string]int{}
	for name, r := range shared {
		if name == "Problem" {
			continue
		}
		of := r.Content[api.ProblemType].Schema.AllOf[1].Properties
		if want := fmt.Sprint("Problem", of["status"].Const); name != want || r.Description == "" {
			t.Errorf("the response %s is of status %d", name, of["status"].Const)
		}
		for _, one := range of["type"].Enum {
			types[one] = of["status"].Const
		}
	}
	for line := range strings.Lines(string(c.call("GET", "/problems", nil).want(t, 200).body)) {
		var status int
		var kind string
		if n, _ := fmt.Sscan(line, &status, &kind); n == 2 && types[kind] != status {
			t.Errorf("the type %s has status %d, described is %d", kind, status, types[kind])
		}
	}
	if types["https://iana.org/assignments/http-problem-types#quota-exceeded"] != 429 || len(types) < 30 {
		t.Errorf("got %v", types)
	}
	if shared["Problem401"].Headers["WWW-Authenticate"] == nil || shared["Problem405"].Headers["Allow"] == nil || shared["Problem429"].Headers["Retry-After"] == nil {
		t.Errorf("the fields that a status has are not described: %v", shared)
	}
	for _, ref := range regexp.MustCompile(`"#/components/responses/([^"]+)"`).FindAllSubmatch(a.body, -1) {
		if _, ok := shared[string(ref[1])]; !ok {
			t.Errorf("the response %s is referred to but not there", ref[1])
		}
	}
}

// What the server answers has the very fields that the description lists.
func TestOpenAPITellsTheTruth(t *testing.T) {
	w := onOneStore(t, nil)
	spec := into[openAPI](t, w.integration("").call("GET", "/openapi.json", nil).want(t, 200))
	ada := w.signUp("Ada")
	issued := ada.token("x", "orders:read", "orders:write", "usage:read")
	c := w.integration(issued.Secret)
	order := into[api.Order](t, c.call("POST", "/api/v1/orders", api.CreateOrder{Reference: "r", Currency: "EUR", AmountMinor: new(int64(1))}).want(t, 201))
	fill := strings.NewReplacer("{team}", ada.team, "{id}", issued.Token.ID)
	tried := 0
	for path, ops := range spec.Paths {
		content, ok := ops["get"].Responses["200"].Content["application/json"]
		if !ok || strings.HasPrefix(path, "/portal/v1/outbox") || path == "/openapi.json" {
			continue
		}
		who, at := ada.client, fill.Replace(path)
		if strings.HasPrefix(path, "/api/") {
			who, at = c, strings.Replace(path, "{id}", order.ID, 1)
		}
		var got map[string]any
		if err := json.Unmarshal(who.call("GET", at, nil).want(t, 200).body, &got); err != nil {
			t.Fatal(err)
		}
		tried++
		name := content.Schema.Ref[strings.LastIndex(content.Schema.Ref, "/")+1:]
		want := spec.Components.Schemas[name].Properties
		delete(want, "calls_7_days") // in lists only
		a, b := slices.Sorted(maps.Keys(got)), slices.Sorted(maps.Keys(want))
		if !slices.Equal(a, b) {
			t.Errorf("GET %s: got %v, described is %v (%s)", path, a, b, name)
		}
	}
	if tried < 15 {
		t.Errorf("only %d answers were compared", tried)
	}
}
