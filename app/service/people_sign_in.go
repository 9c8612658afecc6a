package service

import (
	"context"
	"strings"
	"time"

	"github.com/khaosat/khaosat/survey"
)

// SessionLength is how long a browser stays signed in by password.
const SessionLength = 14 * 24 * time.Hour

// Browser is from where somebody signs in.
type Browser struct {
	Address string
	Label   string // what its owner will know it by: "Chrome, Android"
	Session string // the secret of the session it has, which ends; "" for none
}

// SignIn checks a name and password and makes a token of the purpose. The
// answer is the same for an unknown name and a wrong password. Tries are
// limited by account and by address.
func (s *Service) SignIn(ctx context.Context, name, password, address string, purpose survey.TokenPurpose) (string, *survey.Person, error) {
	p, err := s.proven(ctx, name, password, address)
	if err != nil {
		return "", nil, err
	}
	secret, err := s.newToken(ctx, p, purpose, "sign-in", s.Now().Add(SessionLength))
	return secret, p, err
}

// SignInBrowser is SignIn for a browser: it opens a session with a new secret,
// whatever the browser came with.
func (s *Service) SignInBrowser(ctx context.Context, from Browser, name, password string) (secret string, expires time.Time, err error) {
	p, err := s.proven(ctx, name, password, from.Address)
	if err != nil {
		return "", time.Time{}, err
	}
	expires = s.Now().Add(SessionLength)
	secret, err = s.openSession(ctx, p, from, expires)
	return secret, expires, err
}

// openSession makes a session and ends the one that the browser had.
func (s *Service) openSession(ctx context.Context, p *survey.Person, from Browser, expires time.Time) (string, error) {
	if from.Session != "" {
		if err := s.SignOut(ctx, from.Session); err != nil && !isNotFound(err) {
			return "", err
		}
	}
	return s.newToken(ctx, p, survey.TokenSession, from.Label, expires)
}

// proven gives the person whose name and password these are.
func (s *Service) proven(ctx context.Context, name, password, address string) (*survey.Person, error) {
	name = strings.ToLower(strings.TrimSpace(name))
	var p *survey.Person
	right, err := s.try(ctx, guardsOf(name, address), func() (bool, error) {
		var err error
		if p, err = s.store.PersonByName(ctx, name); err != nil && !isNotFound(err) {
			return false, err
		}
		hash := decoyHash()
		if p != nil && p.PasswordHash != "" {
			hash = p.PasswordHash
		}
		right := checkPassword(hash, password)
		return right && p != nil && p.PasswordHash != "" && !p.Disabled, nil
	})
	if err == nil && !right {
		err = &survey.Error{Kind: survey.Unauthenticated, Code: "auth.refused"}
	}
	return p, err
}

// SignOut revokes the session with the secret.
func (s *Service) SignOut(ctx context.Context, secret string) error {
	t, err := s.store.Token(ctx, tokenHash(secret))
	if err != nil {
		return err
	}
	defer s.bearers.forget()
	return s.revoke(ctx, Caller{Person: &survey.Person{ID: t.Person}}, t)
}
