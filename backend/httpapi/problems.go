package httpapi

import (
	"bytes"
	"fmt"
	"html/template"

	"github.com/gofiber/fiber/v2"
)

// problemPage is what a person reads who follows the type of a problem.
var problemPage = template.Must(template.New("problem").Parse(`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>{{.Title}} · Gatehouse</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
{{- if .CSS}}
<link rel="stylesheet" href="{{.CSS}}">
{{- end}}
</head>
<body>
<main class="auth"><div class="auth-card">
<h1>{{.Title}}</h1>
{{- if .Kinds}}
<dl>
{{- range .Kinds}}
<dt><a href="/problems/{{.Name}}">{{.Name}}</a></dt>
<dd>{{.Status}} {{.Title}}</dd>
{{- end}}
</dl>
{{- else}}
<p>{{.About}}</p>
<p><strong>What to do:</strong> {{.Fix}}</p>
<p>Answers of this type have status {{.Status}}. <a href="/problems">All types</a></p>
{{- end}}
</div></main>
</body>
</html>
`))

type problemView struct {
	Name, Title, About, Fix, CSS string
	Status                       int
	Kinds                        []problemView
}

func (s *Server) viewOf(k *kind) problemView {
	return problemView{Name: k.name, Title: k.title, About: k.about, Fix: k.fix, Status: k.status, CSS: s.assets.path("app.css")}
}

// showProblem answers GET /problems/{kind}: a page for people, text for others.
func (s *Server) showProblem(c *fiber.Ctx) error {
	for i := range kinds {
		if k := &kinds[i]; k.name == c.Params("kind") {
			v := s.viewOf(k)
			return s.explain(c, v, fmt.Sprintf("%s\n\n%s\n\nWhat to do: %s\nStatus: %d\n", v.Title, v.About, v.Fix, v.Status))
		}
	}
	return fiber.ErrNotFound
}

// listProblems answers GET /problems.
func (s *Server) listProblems(c *fiber.Ctx) error {
	all := problemView{Title: "Problem types", CSS: s.assets.path("app.css")}
	var text bytes.Buffer
	for i := range kinds {
		all.Kinds = append(all.Kinds, s.viewOf(&kinds[i]))
		fmt.Fprintf(&text, "%d  %s%s\n     %s\n", kinds[i].status, s.problems, kinds[i].name, kinds[i].title)
	}
	return s.explain(c, all, text.String())
}

func (s *Server) explain(c *fiber.Ctx, v problemView, text string) error {
	c.Set(fiber.HeaderVary, fiber.HeaderAccept)
	if !acceptsHTML(c) {
		return sendPublic(c, textType, []byte(text))
	}
	var b bytes.Buffer
	if err := problemPage.Execute(&b, v); err != nil {
		return fmt.Errorf("write the page of a problem: %w", err)
	}
	securePage(c)
	return sendPublic(c, htmlType, b.Bytes())
}
