package service

import (
	"context"
	"strings"
	"time"

	"github.com/khaosat/khaosat/survey"
)

const (
	// InvitationLength is how long an invitation waits to be used.
	InvitationLength = 7 * 24 * time.Hour
	// invitedLength is how long a phone stays signed in when no open round says.
	invitedLength = 90 * 24 * time.Hour
	// setupLength is how long a set-up link waits to be used.
	setupLength = 24 * time.Hour
	// againTime is how long the browser that used an invitation up may ask
	// again, because the answer got lost on the way.
	againTime = 10 * time.Minute
)

// Invitation is a link that was made for a person. Its secret is shown once.
type Invitation struct {
	Person  *survey.Person
	Secret  string
	Expires time.Time
}

// Invite makes an invitation for each of the accounts. Those that were open for
// them end: the newest link is the one that works. A disabled account is Invalid.
func (s *Service) Invite(ctx context.Context, c Caller, names []string) ([]Invitation, error) {
	people := make([]*survey.Person, len(names))
	for i, name := range names {
		p, err := s.managed(ctx, c, name)
		if err != nil {
			return nil, err
		}
		if p.Disabled {
			return nil, &survey.Error{Kind: survey.Invalid, Code: "invitation.disabled", Args: survey.Args{"person": p.Name}}
		}
		people[i] = p
	}
	out := make([]Invitation, len(people))
	for i, p := range people {
		earlier := func(t *survey.Token) bool { return t.Purpose == survey.TokenInvitation }
		if err := s.revokeTokens(ctx, c, p.ID, earlier); err != nil {
			return nil, err
		}
		expires := s.Now().Add(InvitationLength)
		secret, err := s.handOut(ctx, c, &survey.Token{Person: p.ID, Purpose: survey.TokenInvitation, Expires: expires})
		if err != nil {
			return nil, err
		}
		out[i] = Invitation{p, secret, expires}
	}
	return out, nil
}

// OpenInvitation says whom an invitation is for, and uses nothing up. NotFound
// when there never was one; Forbidden with code "invitation.used",
// "invitation.expired" or "invitation.revoked". Browser is the secret that the
// browser keeps for itself, "" if it has none yet.
func (s *Service) OpenInvitation(ctx context.Context, secret, browser, address string) (*survey.Person, error) {
	_, p, err := s.invitation(ctx, secret, browser, address)
	return p, err
}

func (s *Service) invitation(ctx context.Context, secret, browser, address string) (*survey.Token, *survey.Person, error) {
	t, err := s.link(ctx, secret, browser, address, survey.TokenInvitation, "invitation")
	if err != nil {
		return nil, nil, err
	}
	p, err := s.store.Person(ctx, t.Person)
	if err != nil {
		return nil, nil, err
	}
	if p.Disabled {
		return nil, nil, &survey.Error{Kind: survey.Forbidden, Code: "invitation.revoked"}
	}
	return t, p, nil
}

// link finds the token behind a link that works once.
func (s *Service) link(ctx context.Context, secret, browser, address string, purpose survey.TokenPurpose, noun string) (*survey.Token, error) {
	var t *survey.Token
	right, err := s.try(ctx, linkGuards(address), func() (bool, error) {
		var err error
		t, err = s.store.Token(ctx, tokenHash(strings.ToLower(secret)))
		if isNotFound(err) {
			return false, nil
		}
		return err == nil && t.Purpose == purpose, err
	})
	if err != nil {
		return nil, err
	}
	if !right {
		return nil, &survey.Error{Kind: survey.NotFound, Code: noun + ".unknown"}
	}
	now := s.Now()
	code := ""
	switch {
	case !t.Revoked.IsZero():
		code = noun + ".revoked"
	case !t.Used.IsZero() && (browser == "" || t.UsedBy != tokenHash(browser) || now.Sub(t.Used) > againTime):
		code = noun + ".used"
	case t.Used.IsZero() && !t.Live(now):
		code = noun + ".expired"
	}
	if code != "" {
		return nil, &survey.Error{Kind: survey.Forbidden, Code: code}
	}
	return t, nil
}

// useUp marks a link as used by the browser; it did nothing if this browser has
// done so already. Of two browsers at once one succeeds.
func (s *Service) useUp(ctx context.Context, c Caller, t *survey.Token, browser string) error {
	if !t.Used.IsZero() {
		return nil
	}
	noun := string(t.Purpose)
	t.Used, t.UsedBy = s.Now(), tokenHash(browser)
	t.Events = append(t.Events, s.event(c, "token.used", nil))
	err := s.store.ReplaceToken(ctx, t)
	if survey.KindOf(err) == survey.Conflict {
		return &survey.Error{Kind: survey.Forbidden, Code: noun + ".used", Err: err}
	}
	return err
}

// AcceptInvitation uses an invitation up and signs the browser in until the
// person's last open round closes, or for 90 days. The browser that did so may
// repeat it for ten minutes. One that keeps no cookies is refused (Invalid), and
// nothing is used up.
func (s *Service) AcceptInvitation(ctx context.Context, secret, browser string, from Browser) (session string, expires time.Time, p *survey.Person, err error) {
	t, p, err := s.invitation(ctx, secret, browser, from.Address)
	if err != nil {
		return "", time.Time{}, nil, err
	}
	if browser == "" { // it keeps no cookies, and could not keep the session either
		return "", time.Time{}, nil, &survey.Error{Kind: survey.Invalid, Code: "invitation.no_cookies"}
	}
	if expires, err = s.roundLength(ctx, p); err != nil {
		return "", time.Time{}, nil, err
	}
	if err = s.useUp(ctx, Caller{Person: p}, t, browser); err != nil {
		return "", time.Time{}, nil, err
	}
	session, err = s.openSession(ctx, p, from, expires)
	return session, expires, p, err
}

// roundLength is until when a phone stays signed in: the end of the last day of
// the open rounds in which the person has visits, and never less than a session
// by password; in 90 days if there is no such round.
func (s *Service) roundLength(ctx context.Context, p *survey.Person) (time.Time, error) {
	var last time.Time
	seen := map[survey.RoundCode]bool{}
	for a, err := range s.store.AssignmentsOf(ctx, p.ID, "") {
		if err != nil {
			return last, err
		}
		if seen[a.Round] {
			continue
		}
		seen[a.Round] = true
		r, err := s.round(ctx, a.Round)
		if isNotFound(err) {
			continue
		}
		if err != nil {
			return last, err
		}
		day := r.Closes.Time()
		end := time.Date(day.Year(), day.Month(), day.Day()+1, 0, 0, 0, 0, s.location(r)).UTC()
		if !r.Closed && end.After(s.Now()) && end.After(last) {
			last = end
		}
	}
	if last.IsZero() {
		return s.Now().Add(invitedLength), nil
	}
	if least := s.Now().Add(SessionLength); last.Before(least) {
		last = least
	}
	return last, nil
}

// NeedsSetup reports whether there is no account yet.
func (s *Service) NeedsSetup(ctx context.Context) (bool, error) {
	for _, err := range s.store.People(ctx) {
		return false, err
	}
	return true, nil
}

// MakeSetup makes the secret of a link that makes the first account. It is for
// whoever starts the program; "" when there are accounts.
func (s *Service) MakeSetup(ctx context.Context) (string, error) {
	needed, err := s.NeedsSetup(ctx)
	if err != nil || !needed {
		return "", err
	}
	return s.handOut(ctx, Operator(), &survey.Token{Purpose: survey.TokenSetup, Expires: s.Now().Add(setupLength)})
}

// OpenSetup checks a set-up link and uses nothing up; the errors are those of
// OpenInvitation, with "setup" for "invitation". A link is worth nothing once
// there is an account.
func (s *Service) OpenSetup(ctx context.Context, secret, address string) error {
	_, err := s.setup(ctx, secret, address)
	return err
}

func (s *Service) setup(ctx context.Context, secret, address string) (*survey.Token, error) {
	t, err := s.link(ctx, secret, "", address, survey.TokenSetup, "setup")
	if err != nil {
		return nil, err
	}
	needed, err := s.NeedsSetup(ctx)
	if err == nil && !needed {
		err = &survey.Error{Kind: survey.Forbidden, Code: "setup.used"}
	}
	return t, err
}

// Setup makes the first account, an admin of the whole tree, and signs the
// browser in. Invalid with all problems when something about it is not right;
// then the link can still be used.
func (s *Service) Setup(ctx context.Context, secret string, p *survey.Person, password string, from Browser) (session string, expires time.Time, err error) {
	t, err := s.setup(ctx, secret, from.Address)
	if err != nil {
		return "", time.Time{}, err
	}
	p.Role = survey.Admin
	if err := s.checkPerson(ctx, Operator(), p, password); err != nil {
		return "", time.Time{}, err
	}
	if password == "" {
		return "", time.Time{}, &survey.Error{Kind: survey.Invalid, Code: "person.password_short"}
	}
	if err := s.useUp(ctx, Operator(), t, secret); err != nil {
		return "", time.Time{}, err
	}
	if err := s.AddPerson(ctx, Operator(), p, password); err != nil {
		return "", time.Time{}, err
	}
	expires = s.Now().Add(SessionLength)
	session, err = s.openSession(ctx, p, from, expires)
	return session, expires, err
}
