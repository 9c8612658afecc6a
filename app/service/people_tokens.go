package service

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base32"
	"encoding/hex"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/khaosat/khaosat/survey"
)

// CreateToken makes a personal API token. The secret is shown this once.
func (s *Service) CreateToken(ctx context.Context, c Caller, name, label string) (string, error) {
	p, err := s.PersonByName(ctx, name)
	if err != nil {
		return "", err
	}
	if c.id() != p.ID || c.id() == "" {
		if _, err := c.may(survey.OpManagePeople); err != nil {
			return "", err
		}
	}
	return s.newToken(ctx, p, survey.TokenAPI, label, time.Time{})
}

func (s *Service) newToken(ctx context.Context, p *survey.Person, purpose survey.TokenPurpose, label string, expires time.Time) (string, error) {
	return s.handOut(ctx, Caller{Person: p}, &survey.Token{Person: p.ID, Purpose: purpose, Label: label, Expires: expires})
}

// handOut stores a token and gives its secret, which is shown this once.
func (s *Service) handOut(ctx context.Context, c Caller, t *survey.Token) (string, error) {
	secret := NewSecret()
	t.Hash, t.Created = tokenHash(secret), s.Now()
	t.Events = []survey.Event{s.event(c, "token.made", survey.Args{"purpose": string(t.Purpose)})}
	return secret, s.store.CreateToken(ctx, t)
}

// Authenticate finds the person behind a token of the purpose; it must not be
// changed. Unauthenticated when there is none, or the token or account is dead.
// What another process revokes or disables is dead a second later at most.
func (s *Service) Authenticate(ctx context.Context, secret string, purpose survey.TokenPurpose) (*survey.Person, error) {
	refused := &survey.Error{Kind: survey.Unauthenticated, Code: "auth.token"}
	hash := tokenHash(secret)
	found, fresh, asOf, err := s.bearerOf(ctx, hash)
	if isNotFound(err) {
		return nil, refused
	}
	if err != nil {
		return nil, err
	}
	if found.token.Purpose != purpose || !found.token.Live(s.Now()) || found.person.Disabled {
		return nil, refused
	}
	if !fresh {
		s.touch(ctx, found.token)
		s.bearers.keep(hash, found, asOf)
	}
	return found.person, nil
}

// bearer is a token with the person it acts for, as read from the store.
type bearer struct {
	token  *survey.Token
	person *survey.Person
	at     time.Time
}

// bearerOf finds a token with its person by the token's hash, among those that
// were read within the second or in the store; asOf is for keeping it. NotFound
// if there is none.
func (s *Service) bearerOf(ctx context.Context, hash string) (b bearer, fresh bool, asOf int, err error) {
	if b, fresh, asOf = s.bearers.find(hash); !fresh {
		b, err = s.readBearer(ctx, hash)
	}
	return b, fresh, asOf, err
}

func (s *Service) readBearer(ctx context.Context, hash string) (b bearer, err error) {
	b.at = time.Now()
	if b.token, err = s.store.Token(ctx, hash); err != nil {
		return b, err
	}
	b.person, err = s.store.Person(ctx, b.token.Person)
	return b, err
}

const (
	// bearerFreshness is how long a token is believed without asking the store.
	bearerFreshness = time.Second
	// bearersKept bounds the memory that many tokens take.
	bearersKept = 10000
)

// bearerCache keeps who is asking for the path that every request takes.
type bearerCache struct {
	mu sync.Mutex
	of map[string]bearer // by the token's hash
	// forgotten counts how often all was forgotten, so that what was read
	// before is not kept after.
	forgotten int
}

func (c *bearerCache) find(hash string) (b bearer, fresh bool, asOf int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	b, ok := c.of[hash]
	return b, ok && time.Since(b.at) < bearerFreshness, c.forgotten
}

func (c *bearerCache) keep(hash string, b bearer, asOf int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.forgotten != asOf {
		return
	}
	if len(c.of) >= bearersKept {
		clear(c.of)
	}
	c.of[hash] = b
}

// forget makes everybody be looked up anew: a token or an account has changed.
func (c *bearerCache) forget() {
	c.mu.Lock()
	defer c.mu.Unlock()
	clear(c.of)
	c.forgotten++
}

// touchEvery is how exact "last used" is; an exact one would cost a write a request.
const touchEvery = 10 * time.Minute

func (s *Service) touch(ctx context.Context, t *survey.Token) {
	if s.Now().Sub(t.LastUsed) < touchEvery {
		return
	}
	t.LastUsed = s.Now()
	if err := s.store.ReplaceToken(ctx, t); err != nil && survey.KindOf(err) != survey.Conflict {
		s.log.Warn("last use of a token was not noted", "error", err)
	}
}

// NewSecret makes 160 random bits in lower-case base32: they survive clients
// that fold letter case.
func NewSecret() string {
	b := make([]byte, 20)
	_, _ = rand.Read(b) // never fails (crypto/rand)
	return strings.ToLower(base32.StdEncoding.EncodeToString(b))
}

func tokenHash(secret string) string {
	sum := sha256.Sum256([]byte(secret))
	return hex.EncodeToString(sum[:])
}

// revokeTokens ends those of a person's live tokens that it is asked for.
func (s *Service) revokeTokens(ctx context.Context, c Caller, id survey.PersonID, which func(*survey.Token) bool) error {
	var open []*survey.Token
	for t, err := range s.store.TokensOf(ctx, id) {
		if err != nil {
			return err
		}
		if t.Live(s.Now()) && which(t) {
			open = append(open, t)
		}
	}
	defer s.bearers.forget()
	for _, t := range open {
		if err := s.revoke(ctx, c, t); err != nil {
			return err
		}
	}
	return nil
}

// revoke ends a token, also if it is being used at the same moment.
func (s *Service) revoke(ctx context.Context, c Caller, t *survey.Token) error {
	for {
		t.Revoked = s.Now()
		t.Events = append(t.Events, s.event(c, "token.revoked", nil))
		err := s.store.ReplaceToken(ctx, t)
		if survey.KindOf(err) != survey.Conflict {
			return err
		}
		if t, err = s.store.Token(ctx, t.Hash); err != nil || !t.Revoked.IsZero() {
			return err
		}
	}
}

// Device is something that is signed in to an account, for its owner to see.
type Device struct {
	// ID is the beginning of the token's hash, enough to name it.
	ID       string
	Purpose  survey.TokenPurpose
	Label    string
	Created  time.Time
	LastUsed time.Time // zero if not used yet; exact to ten minutes
	Expires  time.Time // zero if it does not
	// This says that it is the one that asks.
	This bool
}

const deviceID = 16 // hex digits of the hash

// Devices lists what is signed in to an account, open invitations included, the
// latest first: to its owner, and to who manages it. Session is the secret of
// the session that asks, "".
func (s *Service) Devices(ctx context.Context, c Caller, name, session string) ([]Device, error) {
	p, err := s.ownOrManaged(ctx, c, name)
	if err != nil {
		return nil, err
	}
	var out []Device
	for t, err := range s.store.TokensOf(ctx, p.ID) {
		if err != nil {
			return nil, err
		}
		if t.Live(s.Now()) {
			out = append(out, Device{t.Hash[:deviceID], t.Purpose, t.Label, t.Created, t.LastUsed, t.Expires, session != "" && t.Hash == tokenHash(session)})
		}
	}
	slices.Reverse(out)
	return out, nil
}

// SignOutDevice ends one of the tokens that Devices lists. One that is over
// already is left as it is.
func (s *Service) SignOutDevice(ctx context.Context, c Caller, name, id string) error {
	p, err := s.ownOrManaged(ctx, c, name)
	if err != nil {
		return err
	}
	if len(id) != deviceID {
		return &survey.Error{Kind: survey.NotFound, Code: "token.unknown"}
	}
	return s.revokeTokens(ctx, c, p.ID, func(t *survey.Token) bool { return strings.HasPrefix(t.Hash, id) })
}

func (s *Service) ownOrManaged(ctx context.Context, c Caller, name string) (*survey.Person, error) {
	if c.id() != "" && c.Person.Name == name {
		return s.own(ctx, c)
	}
	return s.managed(ctx, c, name)
}
