package portal

import (
	"context"
	"time"
)

// Member is a user in a team with one role.
type Member struct {
	Team     string
	User     string
	Role     Role
	JoinedAt time.Time
}

// MemberStore is what members need from storage.
type MemberStore interface {
	// SaveMember adds a member or changes the role, and in the same transaction
	// brings the standing of the tokens that the member made in step.
	SaveMember(ctx context.Context, m Member) error
	// DeleteMember removes a member; the tokens they made lose their maker.
	DeleteMember(ctx context.Context, team, user string) error      // NotFound
	Member(ctx context.Context, team, user string) (Member, error)  // NotFound
	Members(ctx context.Context, team string) ([]Member, error)     // by joining
	Memberships(ctx context.Context, user string) ([]Member, error) // by joining
}
