package cmd

import (
	"context"
	"fmt"
)

// adminGrant is `gatehouse admin grant ADDRESS`.
type adminGrant struct {
	Address string `arg:"" help:"The e-mail address of somebody with an account."`
}

// Run makes the person a platform admin.
func (a adminGrant) Run(ctx context.Context, sh *shell) error {
	return operate(ctx, sh, "admin-grant", a.Address)
}

func grantAdmin(ctx context.Context, n *node, arguments []string) (string, error) {
	if err := n.portal.GrantAdmin(ctx, arguments[0]); err != nil {
		return "", err
	}
	return arguments[0] + " is a platform admin.", nil
}

// adminPlatformTeam is `gatehouse admin platform-team TEAM`.
type adminPlatformTeam struct {
	Team string `arg:"" help:"The id or the name of an existing team."`
}

// Run marks the team.
func (a adminPlatformTeam) Run(ctx context.Context, sh *shell) error {
	return operate(ctx, sh, "admin-platform-team", a.Team)
}

func markPlatformTeam(ctx context.Context, n *node, arguments []string) (string, error) {
	t, err := n.portal.MarkPlatformTeam(ctx, arguments[0])
	if err != nil {
		return "", err
	}
	return fmt.Sprintf("%s (%s) is the platform team.", t.Name, t.ID), nil
}
