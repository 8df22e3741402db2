package token

// Needs names what each route of the public API asks of a token, as the table of
// routes does (backend/httpapi/routes.go), under the names that usage by route
// has. A route that is missing here only makes an ability look neither used nor
// unused.
func Needs() map[string][]string {
	return map[string][]string{
		"POST /api/v1/token/rotate": {"token:rotate"},
		"GET /api/v1/orders":        {"orders:read"},
		"POST /api/v1/orders":       {"orders:write"},
		"GET /api/v1/orders/:id":    {"orders:read"},
		"PATCH /api/v1/orders/:id":  {"orders:write"},
		"DELETE /api/v1/orders/:id": {"orders:write"},
		"GET /api/v1/usage":         {"usage:read"},
	}
}
