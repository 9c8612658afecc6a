package service

import (
	"context"
	"fmt"
	"strings"
	"sync"
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
	if err := s.slowed(ctx, "name:"+name, "address:"+address); err != nil {
		return nil, err
	}
	p, err := s.store.PersonByName(ctx, name)
	if err != nil && !isNotFound(err) {
		return nil, err
	}
	hash := decoyHash()
	if p != nil && p.PasswordHash != "" {
		hash = p.PasswordHash
	}
	right := checkPassword(hash, password)
	if p == nil || p.PasswordHash == "" || p.Disabled || !right {
		s.guard.failed(s.now(), "name:"+name, "address:"+address)
		return nil, &survey.Error{Kind: survey.Unauthenticated, Code: "auth.refused"}
	}
	s.guard.passed("name:" + name)
	return p, nil
}

func (s *Service) slowed(_ context.Context, keys ...string) error {
	if wait := s.guard.blocked(s.now(), keys...); wait > 0 {
		return &survey.Error{Kind: survey.Forbidden, Code: "auth.too_many", Args: survey.Args{"seconds": fmt.Sprint(int(wait.Seconds()) + 1)}}
	}
	return nil
}

// SignOut revokes the session with the secret.
func (s *Service) SignOut(ctx context.Context, secret string) error {
	t, err := s.store.Token(ctx, tokenHash(secret))
	if err != nil {
		return err
	}
	t.Revoked = s.Now()
	defer s.bearers.forget()
	return s.store.ReplaceToken(ctx, t)
}

// signInGuard slows down guessing: after five failures in a row within fifteen
// minutes for a name or an address, each further try has to wait longer, up to
// fifteen minutes.
type signInGuard struct {
	mu    sync.Mutex
	tries map[string]*tries
}
type tries struct {
	failures int
	last     time.Time
}

const (
	guardFree   = 5
	guardWindow = 15 * time.Minute
	guardMost   = 10000 // entries kept; an attacker's many names must not fill memory
)

func (g *signInGuard) blocked(now time.Time, keys ...string) time.Duration {
	g.mu.Lock()
	defer g.mu.Unlock()
	var longest time.Duration
	for _, k := range keys {
		t := g.tries[k]
		if t == nil || now.Sub(t.last) > guardWindow {
			delete(g.tries, k)
			continue
		}
		if t.failures >= guardFree {
			wait := min(guardWindow, time.Second<<min(t.failures-guardFree, 10))
			longest = max(longest, wait-now.Sub(t.last))
		}
	}
	return longest
}

func (g *signInGuard) failed(now time.Time, keys ...string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if len(g.tries) > guardMost {
		for k, t := range g.tries {
			if now.Sub(t.last) > guardWindow || len(g.tries) > guardMost {
				delete(g.tries, k)
			}
		}
	}
	for _, k := range keys {
		t := g.tries[k]
		if t == nil {
			t = &tries{}
			g.tries[k] = t
		}
		t.failures++
		t.last = now
	}
}

func (g *signInGuard) passed(key string) {
	g.mu.Lock()
	delete(g.tries, key)
	g.mu.Unlock()
}
