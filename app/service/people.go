package service

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base32"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/crypto/argon2"

	"github.com/khaosat/khaosat/survey"
)

var personName = regexp.MustCompile(`^[a-z0-9][a-z0-9._\-]{0,63}$`)

// AddPerson creates an account. The password may be "": then only tokens open
// it. Exists when the name is taken.
func (s *Service) AddPerson(ctx context.Context, c Caller, p *survey.Person, password string) error {
	if _, err := c.may(survey.OpManagePeople); err != nil {
		return err
	}
	if err := s.checkPerson(ctx, p, password); err != nil {
		return err
	}
	if p.ID == "" {
		p.ID = survey.PersonID(survey.NewID())
	}
	if password != "" {
		p.PasswordHash = hashPassword(password)
	}
	p.Events = []survey.Event{s.event(c, "person.added", survey.Args{"role": string(p.Role)})}
	return s.store.CreatePerson(ctx, p)
}

// MinPassword is the fewest characters a password has (NIST SP 800-63B).
const MinPassword = 8

func (s *Service) checkPerson(ctx context.Context, p *survey.Person, password string) error {
	var ps survey.Problems
	report := func(pointer, code, value string) {
		ps = append(ps, survey.Problem{Severity: survey.SeverityError, Code: code, Value: value, Place: survey.Place{Pointer: pointer}})
	}
	if !personName.MatchString(p.Name) {
		report("/name", "person.name", p.Name)
	}
	if !slices.Contains(survey.AccountRoles, p.Role) {
		report("/role", "person.role", string(p.Role))
		names := make([]string, len(survey.AccountRoles))
		for i, r := range survey.AccountRoles {
			names[i] = string(r)
		}
		ps[len(ps)-1].Suggestion = survey.Closest(string(p.Role), names)
	}
	if password != "" && len([]rune(password)) < MinPassword {
		report("/password", "person.password_short", "")
	}
	tree, _, err := s.Tree(ctx)
	if err != nil {
		return err
	}
	if p.Scope != "" && tree.Unit(p.Scope) == nil {
		report("/scope", "unit.unknown", string(p.Scope))
		ps[len(ps)-1].Args = survey.Args{"unit": string(p.Scope)}
	}
	return ps.Err("person.invalid")
}

// ResetPassword sets a person's password and revokes all sessions.
func (s *Service) ResetPassword(ctx context.Context, c Caller, name, password string) error {
	if len([]rune(password)) < MinPassword {
		return &survey.Error{Kind: survey.Invalid, Code: "person.password_short"}
	}
	return s.changePerson(ctx, c, name, "person.password_reset", func(p *survey.Person) { p.PasswordHash = hashPassword(password) })
}

// SetDisabled disables an account, or enables it again.
func (s *Service) SetDisabled(ctx context.Context, c Caller, name string, disabled bool) error {
	action := "person.enabled"
	if disabled {
		action = "person.disabled"
	}
	return s.changePerson(ctx, c, name, action, func(p *survey.Person) { p.Disabled = disabled })
}

// changePerson changes an account and revokes its sessions.
func (s *Service) changePerson(ctx context.Context, c Caller, name, action string, change func(*survey.Person)) error {
	if _, err := c.may(survey.OpManagePeople); err != nil {
		return err
	}
	p, err := s.PersonByName(ctx, name)
	if err != nil {
		return err
	}
	change(p)
	p.Events = append(p.Events, s.event(c, action, nil))
	defer s.bearers.forget()
	if err := s.store.ReplacePerson(ctx, p); err != nil {
		return err
	}
	return s.revokeSessions(ctx, p.ID)
}

func (s *Service) revokeSessions(ctx context.Context, id survey.PersonID) error {
	var open []*survey.Token
	for t, err := range s.store.TokensOf(ctx, id) {
		if err != nil {
			return err
		}
		if t.Purpose == survey.TokenSession && t.Live(s.Now()) {
			open = append(open, t)
		}
	}
	for _, t := range open {
		t.Revoked = s.Now()
		if err := s.store.ReplaceToken(ctx, t); err != nil {
			return err
		}
	}
	return nil
}

// PersonByName finds an account; NotFound with a sentence that names it.
func (s *Service) PersonByName(ctx context.Context, name string) (*survey.Person, error) {
	p, err := s.store.PersonByName(ctx, strings.ToLower(strings.TrimSpace(name)))
	if isNotFound(err) {
		return nil, &survey.Error{Kind: survey.NotFound, Code: "person.unknown", Args: survey.Args{"person": name}}
	}
	return p, err
}

// People lists all accounts.
func (s *Service) People(ctx context.Context, c Caller) ([]*survey.Person, error) {
	if _, err := c.may(survey.OpManagePeople); err != nil {
		return nil, err
	}
	out := []*survey.Person{}
	for p, err := range s.store.People(ctx) {
		if err != nil {
			return nil, err
		}
		out = append(out, p)
	}
	return out, nil
}

// SessionLength is how long a browser stays signed in.
const SessionLength = 14 * 24 * time.Hour

// SignIn checks a name and password and opens a session (or, with purpose
// TokenAPI, makes an API token). The answer is the same for an unknown name and
// a wrong password. Tries are limited by account and by address.
func (s *Service) SignIn(ctx context.Context, name, password, address string, purpose survey.TokenPurpose) (string, *survey.Person, error) {
	refused := &survey.Error{Kind: survey.Unauthenticated, Code: "auth.refused"}
	name = strings.ToLower(strings.TrimSpace(name))
	if wait := s.guard.blocked(s.now(), "name:"+name, "address:"+address); wait > 0 {
		return "", nil, &survey.Error{Kind: survey.Forbidden, Code: "auth.too_many", Args: survey.Args{"seconds": fmt.Sprint(int(wait.Seconds()) + 1)}}
	}
	p, err := s.store.PersonByName(ctx, name)
	if err != nil && !isNotFound(err) {
		return "", nil, err
	}
	hash := decoyHash()
	if p != nil && p.PasswordHash != "" {
		hash = p.PasswordHash
	}
	right := checkPassword(hash, password)
	if p == nil || p.PasswordHash == "" || p.Disabled || !right {
		s.guard.failed(s.now(), "name:"+name, "address:"+address)
		return "", nil, refused
	}
	s.guard.passed("name:" + name)
	secret, err := s.newToken(ctx, p, purpose, "sign-in", s.Now().Add(SessionLength))
	return secret, p, err
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
	secret := newSecret()
	t := &survey.Token{Hash: tokenHash(secret), Person: p.ID, Purpose: purpose, Label: label, Created: s.Now(), Expires: expires}
	return secret, s.store.CreateToken(ctx, t)
}

// Authenticate finds the person behind a token of the purpose; it must not be
// changed. Unauthenticated when there is none, or the token or account is dead.
// What another process revokes or disables is dead a second later at most.
func (s *Service) Authenticate(ctx context.Context, secret string, purpose survey.TokenPurpose) (*survey.Person, error) {
	refused := &survey.Error{Kind: survey.Unauthenticated, Code: "auth.token"}
	hash := tokenHash(secret)
	found, fresh, asOf := s.bearers.find(hash)
	if !fresh {
		var err error
		found, err = s.readBearer(ctx, hash)
		if isNotFound(err) {
			return nil, refused
		}
		if err != nil {
			return nil, err
		}
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

// newSecret makes 160 random bits in lower-case base32: they survive clients
// that fold letter case.
func newSecret() string {
	b := make([]byte, 20)
	_, _ = rand.Read(b) // never fails (crypto/rand)
	return strings.ToLower(base32.StdEncoding.EncodeToString(b))
}

func tokenHash(secret string) string {
	sum := sha256.Sum256([]byte(secret))
	return hex.EncodeToString(sum[:])
}

// argon2id parameters: OWASP Password Storage Cheat Sheet, 19 MiB, 2 passes, 1 lane.
const (
	argonTime   = 2
	argonMemory = 19 * 1024
	argonLanes  = 1
	argonKey    = 32
	argonSalt   = 16
)

func hashPassword(password string) string {
	salt := make([]byte, argonSalt)
	_, _ = rand.Read(salt)
	key := argon2.IDKey([]byte(password), salt, argonTime, argonMemory, argonLanes, argonKey)
	b64 := base64.RawStdEncoding.EncodeToString
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", argon2.Version, argonMemory, argonTime, argonLanes, b64(salt), b64(key))
}

// decoyHash takes as long to check as a real one, so that the time of a refusal
// does not tell whether the name exists.
var decoyHash = sync.OnceValue(func() string { return hashPassword(newSecret()) })

func checkPassword(hash, password string) bool {
	parts := strings.Split(hash, "$")
	if len(parts) != 6 || parts[1] != "argon2id" {
		return false
	}
	var version, memory, passes, lanes int
	if _, err := fmt.Sscanf(parts[2]+" "+parts[3], "v=%d m=%d,t=%d,p=%d", &version, &memory, &passes, &lanes); err != nil {
		return false
	}
	salt, err1 := base64.RawStdEncoding.DecodeString(parts[4])
	want, err2 := base64.RawStdEncoding.DecodeString(parts[5])
	if err1 != nil || err2 != nil || len(want) == 0 {
		return false
	}
	got := argon2.IDKey([]byte(password), salt, uint32(passes), uint32(memory), uint8(lanes), uint32(len(want)))
	return subtle.ConstantTimeCompare(got, want) == 1
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
