package httpapi

import (
	"context"

	"github.com/gofiber/fiber/v2"

	"github.com/gatehouse-portal/gatehouse/shared/api"
)

// listTeams answers GET /portal/v1/teams.
func (s *Server) listTeams(c *fiber.Ctx) error {
	list, err := s.portal.Memberships(c.UserContext(), person(c))
	if err != nil {
		return err
	}
	return page(c, membershipsJSON(list), nil)
}

// createTeam answers POST /portal/v1/teams.
func (s *Server) createTeam(c *fiber.Ctx) error {
	in, err := decode[api.CreateTeam](c)
	if err != nil {
		return err
	}
	who := person(c)
	return s.once(c, "", who.User.ID, func(ctx context.Context) (reply, error) {
		m, err := s.portal.CreateTeam(ctx, who, in.Name)
		if err != nil {
			return reply{}, err
		}
		return reply{status: fiber.StatusCreated, location: "/portal/v1/teams/" + m.Team.ID, rev: m.Team.Rev, body: teamJSON(m)}, nil
	}, teamsPerPerson)
}

// showTeam answers GET /portal/v1/teams/{team}.
func (s *Server) showTeam(c *fiber.Ctx) error {
	m, err := s.portal.Team(c.UserContext(), person(c), pathID(c, "team"))
	if err != nil {
		return err
	}
	return sendTagged(c, fiber.StatusOK, m.Team.Rev, teamJSON(m))
}

// updateTeam answers PATCH /portal/v1/teams/{team}.
func (s *Server) updateTeam(c *fiber.Ctx) error {
	in, err := decode[api.UpdateTeam](c)
	if err != nil {
		return err
	}
	who, id := person(c), pathID(c, "team")
	rev, err := match(c, func() (int64, error) {
		m, err := s.portal.Team(c.UserContext(), who, id)
		return m.Team.Rev, err
	})
	if err != nil {
		return err
	}
	m, err := s.portal.RenameTeam(c.UserContext(), who, id, set(in.Name), rev)
	if err != nil {
		return err
	}
	return sendTagged(c, fiber.StatusOK, m.Team.Rev, teamJSON(m))
}

// listMembers answers GET /portal/v1/teams/{team}/members.
func (s *Server) listMembers(c *fiber.Ctx) error {
	list, err := s.portal.Members(c.UserContext(), person(c), pathID(c, "team"))
	if err != nil {
		return err
	}
	return page(c, mapped(list, memberJSON), nil)
}

// showCatalogue answers GET /portal/v1/catalogue.
func (s *Server) showCatalogue(c *fiber.Ctx) error {
	return sendTagged(c, fiber.StatusOK, 1, catalogueJSON(s.portal.Catalogue()))
}
