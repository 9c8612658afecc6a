package service

import (
	"context"
	"strings"
	"time"

	"github.com/khaosat/khaosat/survey"
)

// How long a token that was revoked may still hand in what is on its phone, and
// how many forms.
const (
	depositTime  = 30 * 24 * time.Hour
	depositQuota = 500
)

// CreateOpenRosaToken makes a token for ODK Collect and its kin: the caller's
// own, or that of somebody whom the caller manages. The person has to be one
// who may send in forms. The secret is shown this once; it survives clients that
// fold letter case.
func (s *Service) CreateOpenRosaToken(ctx context.Context, c Caller, name, label string) (string, error) {
	p, err := s.ownOrManaged(ctx, c, name)
	if err != nil {
		return "", err
	}
	if survey.May(p, survey.OpSubmit) == survey.Nothing {
		return "", &survey.Error{Kind: survey.Invalid, Code: "openrosa.not_observer", Args: survey.Args{"person": p.Name}}
	}
	return s.handOut(ctx, c, &survey.Token{Person: p.ID, Purpose: survey.TokenOpenRosa, Label: label})
}

// RevokeOpenRosaTokens ends all of a person's tokens for ODK clients. What is on
// the phones can still be handed in for 30 days, and is then held for review.
func (s *Service) RevokeOpenRosaTokens(ctx context.Context, c Caller, name string) error {
	p, err := s.ownOrManaged(ctx, c, name)
	if err != nil {
		return err
	}
	return s.revokeTokens(ctx, c, p.ID, func(t *survey.Token) bool { return t.Purpose == survey.TokenOpenRosa })
}

// OpenRosaCaller is who an ODK client sends for.
type OpenRosaCaller struct {
	Caller
	// DepositOnly says that the token was revoked, or the account disabled, less
	// than 30 days ago: forms are taken in for review, and nothing is given out.
	DepositOnly bool
	token       string // its hash
}

// OpenRosaCaller finds the person behind the secret in a client's address.
// Forbidden for one that never was valid: at Unauthenticated clients would ask
// the observer for a password.
func (s *Service) OpenRosaCaller(ctx context.Context, secret string) (*OpenRosaCaller, error) {
	refused := &survey.Error{Kind: survey.Forbidden, Code: "openrosa.token"}
	hash := tokenHash(strings.ToLower(secret))
	found, fresh, asOf, err := s.bearerOf(ctx, hash)
	if isNotFound(err) {
		return nil, refused
	}
	if err != nil {
		return nil, err
	}
	t := found.token
	if t.Purpose != survey.TokenOpenRosa || !t.Used.IsZero() {
		return nil, refused
	}
	who := &OpenRosaCaller{Caller: Caller{Person: found.person, Language: found.person.Language}, token: hash}
	if who.Language == "" {
		who.Language = "vi"
	}
	if !t.Live(s.Now()) || found.person.Disabled {
		if !t.Revoked.IsZero() && s.Now().Sub(t.Revoked) > depositTime {
			return nil, refused
		}
		who.DepositOnly = true
		return who, nil
	}
	if !fresh {
		s.touch(ctx, t)
		s.bearers.keep(hash, found, asOf)
	}
	return who, nil
}

// OpenRosaCallerByName is OpenRosaCaller for clients that were set up by hand:
// the password is the secret, and the name has to be its person's.
// Unauthenticated when they do not fit.
func (s *Service) OpenRosaCallerByName(ctx context.Context, name, secret string) (*OpenRosaCaller, error) {
	who, err := s.OpenRosaCaller(ctx, secret)
	if survey.KindOf(err) == survey.Forbidden || err == nil && !strings.EqualFold(who.Person.Name, strings.TrimSpace(name)) {
		return nil, &survey.Error{Kind: survey.Unauthenticated, Code: "openrosa.password"}
	}
	return who, err
}

// mayDeposit counts what comes in by a revoked token.
func (s *Service) mayDeposit(ctx context.Context, who *OpenRosaCaller) error {
	tries, err := s.store.AddTries(ctx, triesKey("deposit", who.token), 1, s.Now(), depositTime)
	if err != nil {
		return err
	}
	if tries.Count > depositQuota {
		return &survey.Error{Kind: survey.Forbidden, Code: "openrosa.deposit_full"}
	}
	return nil
}
