package portal

import (
	"context"
	"slices"
	"time"

	"github.com/gatehouse-portal/gatehouse/backend/secret"
	"github.com/gatehouse-portal/gatehouse/shared/ability"
	"github.com/gatehouse-portal/gatehouse/shared/audit"
)

// TokenView is a token with what its list and its page show beside it.
type TokenView struct {
	Token
	Status     TokenStatus
	MakerName  string
	Revoker    string      // name of the person, or of the token that revoked itself
	Limit      RateLimit   // in force
	Window     *LimitState // what remains of it in this process; not in lists
	MayManage  bool        // the asking person may change it
	Calls7Days []int       // calls a day, today last; in lists only
	At         time.Time   // of the reading: what Status and the generations were judged at
}

// NewToken is what the maker of a token asks for.
type NewToken struct {
	Name, Note   string
	Env          Env
	Abilities    []string
	ExpiresAt    time.Time // zero: after the default lifetime
	NeverExpires bool      // only if policy allows
	NotBefore    time.Time // zero: at once
	Addresses    []string  // CIDR prefixes and single addresses; none: from anywhere
	RateLimit    *RateLimit
}

// CreateToken makes a token and returns it with its secret, which exists nowhere
// else afterwards.
//
// It fails with Invalid, RoleNotAllowed, NotFresh, NotVerified, NameTaken, and
// Conflict when the team has as many tokens as it may.
func (p *Portal) CreateToken(ctx context.Context, who Person, team string, in NewToken) (TokenView, string, error) {
	m, err := p.member(ctx, who, team, CreateTokens)
	if err != nil {
		return TokenView{}, "", err
	}
	if who.User.VerifiedAt.IsZero() {
		return TokenView{}, "", &Error{Kind: NotVerified, Detail: "Your address is not verified yet.", Fix: "Open the link in the mail we sent you."}
	}
	if err := p.fresh(who); err != nil {
		return TokenView{}, "", err
	}
	var t Token
	var text string
	err = p.atomically(ctx, func(ctx context.Context) error {
		// Read again here: a maker who loses the role meanwhile must not leave a
		// token behind that stands as if they had it.
		if m, err = p.member(ctx, who, team, CreateTokens); err != nil {
			return err
		}
		tenant, err := p.store.Team(ctx, team)
		if err != nil {
			return err
		}
		if t, err = p.newToken(who, m, tenant, in); err != nil {
			return err
		}
		text = secret.NewTokenFor(string(t.Env), t.ID)
		t.Generations = []Generation{p.newGeneration(1, text, t.CreatedAt)}
		t.Generations[0].ActivatedAt = t.CreatedAt

		e, err := p.appendAs(ctx, who, team, audit.TokenCreated, t.ID, map[string]any{
			"name": t.Name, "env": string(t.Env), "abilities": t.Abilities, "expires_at": timeText(t.ExpiresAt),
			"not_before": timeText(t.NotBefore), "addresses": prefixTexts(t.Addresses), "rate_limit": limitText(t.RateLimit),
		})
		if err != nil {
			return err
		}
		living, err := p.store.LivingTokens(ctx, team, t.CreatedAt)
		if err != nil {
			return err
		}
		if most := p.catalogue.Tokens.MaxPerTeam; living >= most {
			return &Error{Kind: Conflict, Code: "too-many-tokens", Detail: "This team has as many living tokens as it may have.", Fix: "Revoke tokens that are not used any more."}
		}
		if err := p.store.ClaimName(ctx, NameClaim{Team: team, Name: nameKey(t.Name), Token: t.ID, EndsAt: t.ExpiresAt}, t.CreatedAt); err != nil {
			return nameTaken(err)
		}
		t.Rev = e.Seq
		p.changed(ctx, t.ID)
		return p.store.InsertToken(ctx, t)
	})
	if err != nil {
		return TokenView{}, "", err
	}
	v, err := p.view(ctx, m, who, t)
	return v, text, err
}

// newToken checks everything that can be checked without the store's help.
func (p *Portal) newToken(who Person, m Member, team Team, in NewToken) (Token, error) {
	now := p.clock()
	t := Token{
		ID: secret.NewLookup(), Team: team.ID, Env: in.Env, Maker: who.User.ID, CreatedAt: now,
		Standing: Standing{MakerRole: m.Role, PlatformTeam: team.Platform, TeamAbilities: team.Policy.Abilities},
	}
	if in.ExpiresAt.IsZero() && !in.NeverExpires {
		in.ExpiresAt = now.Add(p.catalogue.Tokens.DefaultLifetime)
	}
	r := rules{catalogue: p.catalogue, now: now, madeAt: now}
	if in.Env != Live && in.Env != Test {
		r.add("#/env", "oneof", "An environment is live or test.", "")
	}
	t.Name = r.name(in.Name)
	t.Note = r.note(in.Note)
	t.Abilities = r.abilities(in.Abilities, nil, m.Role, team)
	t.Addresses = r.addresses(in.Addresses)
	t.ExpiresAt = r.expiry(in.ExpiresAt, time.Time{})
	t.NotBefore = r.notBefore(in.NotBefore, t.ExpiresAt)
	if in.RateLimit != nil {
		t.RateLimit = r.rateLimit(*in.RateLimit)
	}
	return t, r.err()
}

func (p *Portal) newGeneration(number int, text string, now time.Time) Generation {
	kid, mac := p.keys.NewestMAC(secret.Digest(text))
	return Generation{Number: number, KeyID: kid, MAC: mac, CreatedAt: now}
}

// nameTaken says in words that another token has the name.
func nameTaken(err error) error {
	if e := (*Error)(nil); KindOf(err) == NameTaken && asError(err, &e) {
		return &Error{
			Kind: NameTaken, Other: e.Other, Detail: "Another living token of this team has this name.",
			Fix:    "Choose another name, or revoke the other token first.",
			Fields: []FieldError{{Pointer: "#/name", Code: "taken", Detail: "Another living token of this team has this name."}},
		}
	}
	return err
}

// Token returns one token of a team.
func (p *Portal) Token(ctx context.Context, who Person, team, id string) (TokenView, error) {
	m, err := p.member(ctx, who, team, ViewTokens)
	if err != nil {
		return TokenView{}, err
	}
	t, err := p.store.Token(ctx, team, id)
	if err != nil {
		return TokenView{}, err
	}
	return p.view(ctx, m, who, t)
}

// The length of a page where nobody says, and the longest.
const (
	defaultPage = 50
	maxPage     = 100
)

func pageLimit(asked int) int {
	if asked <= 0 {
		return defaultPage
	}
	return min(asked, maxPage)
}

// TokenPage is one page of tokens; Next is nil on the last.
type TokenPage struct {
	Tokens []TokenView
	Next   *TokenCursor
}

// Tokens lists the tokens of a team as f selects and sorts them; its Team and
// Now are filled in here.
func (p *Portal) Tokens(ctx context.Context, who Person, f TokenFilter) (TokenPage, error) {
	m, err := p.member(ctx, who, f.Team, ViewTokens)
	if err != nil {
		return TokenPage{}, err
	}
	f.Now, f.Query = p.clock(), secret.NormalizeText(f.Query)
	if f.Sort == "" {
		f.Sort = NewestFirst
	}
	limit := pageLimit(f.Limit)
	f.Limit = limit + 1 // one more tells whether there is a next page
	tokens, err := p.store.Tokens(ctx, f)
	if err != nil {
		return TokenPage{}, err
	}
	var page TokenPage
	if len(tokens) > limit {
		tokens = tokens[:limit]
		page.Next = cursorAt(tokens[limit-1], f.Sort)
	}
	page.Tokens, err = p.views(ctx, m, who, tokens)
	if err != nil {
		return TokenPage{}, err
	}
	return page, p.sparklines(ctx, f.Team, page.Tokens, f.Now)
}

func cursorAt(t Token, sort TokenSort) *TokenCursor {
	c := &TokenCursor{ID: t.ID}
	switch sort {
	case ByName:
		c.Name = t.Name
	case ByLastUse:
		c.Time = t.LastUsedAt
	case ByExpiry:
		c.Time = t.ExpiresAt
	default:
		c.Time = t.CreatedAt
	}
	return c
}

// sparklines fills in the calls of the last seven days.
func (p *Portal) sparklines(ctx context.Context, team string, tokens []TokenView, now time.Time) error {
	if len(tokens) == 0 {
		return nil
	}
	const days = 7
	from := now.Truncate(24*time.Hour).AddDate(0, 0, 1-days)
	at := make(map[string]int, len(tokens))
	ids := make([]string, len(tokens))
	for i := range tokens {
		tokens[i].Calls7Days = make([]int, days)
		ids[i] = tokens[i].ID
		at[tokens[i].ID] = i
	}
	sums, err := p.store.Rollups(ctx, RollupFilter{Team: team, Tokens: ids, Step: Day, From: from, To: from.AddDate(0, 0, days)})
	if err != nil {
		return err
	}
	for _, s := range sums {
		i, ok := at[s.Token]
		if day := int(s.At.Sub(from) / (24 * time.Hour)); ok && day >= 0 && day < days {
			tokens[i].Calls7Days[day] += int(s.Calls)
		}
	}
	return nil
}

func (p *Portal) view(ctx context.Context, m Member, who Person, t Token) (TokenView, error) {
	vs, err := p.views(ctx, m, who, []Token{t})
	if err != nil {
		return TokenView{}, err
	}
	left := p.limits.look(t.ID, vs[0].Limit, vs[0].At)
	vs[0].Window = &left
	return vs[0], nil
}

func (p *Portal) views(ctx context.Context, m Member, who Person, tokens []Token) ([]TokenView, error) {
	var ids []string
	for i := range tokens {
		ids = append(ids, tokens[i].Maker)
		if by := tokens[i].RevokedBy; by != "" && by != tokens[i].ID {
			ids = append(ids, by)
		}
	}
	slices.Sort(ids)
	users, err := p.users(ctx, slices.Compact(ids))
	if err != nil {
		return nil, err
	}
	now := p.clock()
	list := make([]TokenView, len(tokens))
	for i, t := range tokens {
		list[i] = TokenView{
			Token: t, Status: t.Status(now), MakerName: users[t.Maker].Name, Revoker: users[t.RevokedBy].Name,
			Limit: t.limit(p.catalogue), MayManage: mayManage(m.Role, who.User.ID, &t), At: now,
		}
		if t.RevokedBy == t.ID {
			list[i].Revoker = t.Name
		}
	}
	return list, nil
}

func mayManage(role Role, user string, t *Token) bool {
	return role.May(ManageAny) || t.Maker == user && role.May(ManageOwn)
}

// TokenChange is a merge patch of a token: nil leaves a field as it is.
type TokenChange struct {
	Name, Note *string
	Abilities  *[]string
	Addresses  *[]string
	RateLimit  *RateLimit // zero: the default
	ExpiresAt  *time.Time // zero: never, if policy allows
}

// UpdateToken changes a token that has not ended. What widens it (an ability, an
// address, a higher limit, a later end) needs a fresh sign-in. match is the Rev
// that the caller saw, or [AnyRev].
func (p *Portal) UpdateToken(ctx context.Context, who Person, team, id string, match *int64, in TokenChange) (TokenView, error) {
	return p.changeToken(ctx, who, team, id, func(ctx context.Context, m Member, t *Token) (string, map[string]any, error) {
		if err := matches(match, t.Rev); err != nil {
			return "", nil, err
		}
		if err := ended(t, p.clock()); err != nil {
			return "", nil, err
		}
		tenant, err := p.store.Team(ctx, team)
		if err != nil {
			return "", nil, err
		}
		old := t.clone()
		if err := p.applyChange(t, in, m.Role, tenant); err != nil {
			return "", nil, err
		}
		if widens(&old, t, p.catalogue) {
			if err := p.fresh(who); err != nil {
				return "", nil, err
			}
		}
		if t.Name != old.Name || !t.ExpiresAt.Equal(old.ExpiresAt) {
			claim := NameClaim{Team: team, Name: nameKey(t.Name), Token: id, EndsAt: t.ExpiresAt}
			if err := p.store.ClaimName(ctx, claim, p.clock()); err != nil {
				return "", nil, nameTaken(err)
			}
		}
		if nameKey(t.Name) != nameKey(old.Name) {
			if err := p.store.ReleaseName(ctx, team, nameKey(old.Name), id); err != nil {
				return "", nil, err
			}
		}
		data := tokenDiff(&old, t)
		if len(data) == 0 {
			return "", nil, nil
		}
		return audit.TokenUpdated, data, nil
	})
}

func (p *Portal) applyChange(t *Token, in TokenChange, role Role, team Team) error {
	r := rules{catalogue: p.catalogue, now: p.clock(), madeAt: t.CreatedAt}
	if in.Name != nil {
		t.Name = r.name(*in.Name)
	}
	if in.Note != nil {
		t.Note = r.note(*in.Note)
	}
	if in.Abilities != nil {
		t.Abilities = r.abilities(*in.Abilities, t.Abilities, role, team)
	}
	if in.Addresses != nil {
		t.Addresses = r.addresses(*in.Addresses)
	}
	if in.RateLimit != nil {
		if t.RateLimit = *in.RateLimit; t.RateLimit != (RateLimit{}) {
			t.RateLimit = r.rateLimit(t.RateLimit)
		}
	}
	if in.ExpiresAt != nil {
		t.ExpiresAt = r.expiry(*in.ExpiresAt, t.NotBefore)
	}
	return r.err()
}

// ended refuses what makes no sense for a token that is over.
func ended(t *Token, now time.Time) error {
	if t.living(now) {
		return nil
	}
	return &Error{
		Kind: Conflict, Code: "token-ended", Detail: "This token is " + string(t.Status(now)) + " and cannot be changed any more.",
		Fix: "Make a new token.",
	}
}

// changeToken is the one way in which people change a token: read, apply, write
// and record in one transaction. change returns the action and data of the
// event, or "" if there is nothing to do.
func (p *Portal) changeToken(
	ctx context.Context, who Person, team, id string,
	change func(ctx context.Context, m Member, t *Token) (action string, data map[string]any, err error),
) (TokenView, error) {
	m, err := p.member(ctx, who, team, ViewTokens)
	if err != nil {
		return TokenView{}, err
	}
	var t Token
	err = p.atomically(ctx, func(ctx context.Context) error {
		stored, err := p.store.Token(ctx, team, id)
		if err != nil {
			return err
		}
		t = stored.clone()
		if m, err = p.member(ctx, who, team, ViewTokens); err != nil {
			return err
		}
		if !mayManage(m.Role, who.User.ID, &t) {
			return notYours(m.Role)
		}
		action, data, err := change(ctx, m, &t)
		if err != nil || action == "" {
			return err
		}
		e, err := p.appendAs(ctx, who, team, action, id, data)
		if err != nil {
			return err
		}
		t.Rev = e.Seq
		return p.replaceToken(ctx, t)
	})
	if err != nil {
		return TokenView{}, err
	}
	return p.view(ctx, m, who, t)
}

func notYours(role Role) error {
	if role.May(ManageOwn) {
		return &Error{
			Kind: RoleNotAllowed, Roles: WhoMay(ManageAny), Detail: "This token was made by somebody else.",
			Fix: "Ask its maker, or somebody with the role " + orList(WhoMay(ManageAny)) + ".",
		}
	}
	return roleNotAllowed(role, ManageOwn)
}

// widens reports whether a change lets the token do more than before.
func widens(old, t *Token, c *Catalogue) bool {
	a, b := old.limit(c), t.limit(c)
	later := !old.ExpiresAt.IsZero() && (t.ExpiresAt.IsZero() || t.ExpiresAt.After(old.ExpiresAt))
	return len(ability.Wider(old.Abilities, t.Abilities)) > 0 || moreAddresses(old.Addresses, t.Addresses) ||
		exceeds(b, a) || later
}

// tokenDiff names what changed, for the audit log.
func tokenDiff(old, t *Token) map[string]any {
	d := map[string]any{}
	put := func(name string, changed bool, from, to any) {
		if changed {
			d[name] = map[string]any{"from": from, "to": to}
		}
	}
	put("name", old.Name != t.Name, old.Name, t.Name)
	put("note", old.Note != t.Note, old.Note, t.Note)
	put("abilities", !slices.Equal(old.Abilities, t.Abilities), old.Abilities, t.Abilities)
	put("addresses", !slices.Equal(old.Addresses, t.Addresses), prefixTexts(old.Addresses), prefixTexts(t.Addresses))
	put("rate_limit", old.RateLimit != t.RateLimit, limitText(old.RateLimit), limitText(t.RateLimit))
	put("expires_at", !old.ExpiresAt.Equal(t.ExpiresAt), timeText(old.ExpiresAt), timeText(t.ExpiresAt))
	return d
}
