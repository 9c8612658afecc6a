package service

import (
	"context"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/khaosat/khaosat/survey"
)

var personName = regexp.MustCompile(`^[a-z0-9][a-z0-9._\-]{0,63}$`)

// reservedNames are pages beside those of single people.
var reservedNames = []string{"new", "import", "invitations", "odk"}

// MinPassword is the fewest characters a password has (NIST SP 800-63B).
const MinPassword = 8

// maxFullName bounds a person's name in characters.
const maxFullName = 200

// AddPerson creates an account. The password may be "": then only invitations
// and tokens open it. Exists when the name is taken.
func (s *Service) AddPerson(ctx context.Context, c Caller, p *survey.Person, password string) error {
	if _, err := c.may(survey.OpManagePeople); err != nil {
		return err
	}
	if err := s.checkPerson(ctx, c, p, password); err != nil {
		return err
	}
	if p.ID == "" {
		p.ID = survey.PersonID(survey.NewID())
	}
	if password != "" {
		p.PasswordHash = hashPassword(password)
	}
	p.Events = []survey.Event{s.event(c, "person.added", personDetail(p))}
	return s.store.CreatePerson(ctx, p)
}

// checkPerson finds everything wrong with an account that the caller wants.
func (s *Service) checkPerson(ctx context.Context, c Caller, p *survey.Person, password string) error {
	var ps survey.Problems
	report := func(pointer, code, value string) *survey.Problem {
		ps = append(ps, survey.Problem{Severity: survey.SeverityError, Code: code, Value: value, Place: survey.Place{Pointer: pointer}})
		return &ps[len(ps)-1]
	}
	if !personName.MatchString(p.Name) {
		report("/name", "person.name", p.Name)
	} else if slices.Contains(reservedNames, p.Name) {
		report("/name", "person.name_reserved", p.Name)
	}
	if len([]rune(p.FullName)) > maxFullName {
		report("/full_name", "person.full_name", "")
	}
	if !slices.Contains(survey.AccountRoles, p.Role) {
		names := make([]string, len(survey.AccountRoles))
		for i, r := range survey.AccountRoles {
			names[i] = string(r)
		}
		report("/role", "person.role", string(p.Role)).Suggestion = survey.Closest(string(p.Role), names)
	}
	if password != "" && len([]rune(password)) < MinPassword {
		report("/password", "person.password_short", "")
	}
	if !slices.Contains([]string{"", "vi", "en"}, p.Language) {
		report("/language", "person.language", p.Language)
	}
	if !p.Display.Valid() {
		report("/display", "person.display", "")
	}
	tree, _, err := s.Tree(ctx)
	if err != nil {
		return err
	}
	for pointer, unit := range map[string]survey.UnitCode{"/scope": p.Scope, "/home": p.Home} {
		if unit != "" && tree.Unit(unit) == nil {
			p := report(pointer, "unit.unknown", string(unit))
			p.Args, p.Suggestion = survey.Args{"unit": string(unit)}, closestUnit(tree, unit)
		}
	}
	if !ps.HasErrors() && !c.coversScope(tree, p.Scope) {
		report("/scope", "person.scope_wider", string(p.Scope)).Args = survey.Args{"scope": string(c.Person.Scope)}
	}
	slices.SortFunc(ps, func(a, b survey.Problem) int { return strings.Compare(a.Place.Pointer, b.Place.Pointer) })
	return ps.Err("person.invalid")
}

// coversScope reports whether a scope lies within the caller's own, so that an
// admin of a part neither sees nor makes accounts that reach further.
func (c Caller) coversScope(tree *survey.Tree, scope survey.UnitCode) bool {
	if c.Person.Scope == "" {
		return true
	}
	standing, err := tree.Standing(scope, 0)
	return err == nil && c.Person.Covers(standing)
}

// personDetail is what the trail keeps of an account.
func personDetail(p *survey.Person) survey.Args {
	return survey.Args{"full_name": p.FullName, "role": string(p.Role), "scope": string(p.Scope), "home": string(p.Home), "language": p.Language}
}

// PersonChange is what an admin may change about an account.
type PersonChange struct {
	FullName string
	Role     survey.AccountRole
	Scope    survey.UnitCode
	Home     survey.UnitCode
	Language string
	// Rev is the revision that the change is based on; 0 for whatever is stored.
	Rev int64
}

// ChangePerson changes an account. Conflict (code "stale") when it was changed
// since Rev; Forbidden for the caller's own role or scope.
func (s *Service) ChangePerson(ctx context.Context, c Caller, name string, change PersonChange) error {
	p, err := s.managed(ctx, c, name)
	if err != nil {
		return err
	}
	if change.Rev != 0 && change.Rev != p.Rev {
		return &survey.Error{Kind: survey.Conflict, Code: "stale"}
	}
	if p.ID == c.id() && (change.Role != p.Role || change.Scope != p.Scope) {
		return &survey.Error{Kind: survey.Forbidden, Code: "person.own_role"}
	}
	before := personDetail(p)
	p.FullName, p.Role, p.Scope, p.Home, p.Language = change.FullName, change.Role, change.Scope, change.Home, change.Language
	if err := s.checkPerson(ctx, c, p, ""); err != nil {
		return err
	}
	if maps.Equal(before, personDetail(p)) {
		return nil
	}
	p.Events = append(p.Events, s.event(c, "person.changed", changedArgs(before, personDetail(p))))
	defer s.bearers.forget()
	return s.store.ReplacePerson(ctx, p)
}

// changedArgs gives what differs, as "old → new" by name.
func changedArgs(before, after survey.Args) survey.Args {
	out := survey.Args{}
	for k, v := range after {
		if before[k] != v {
			out[k] = before[k] + " → " + v
		}
	}
	return out
}

// ResetPassword sets a person's password and signs all their devices out.
func (s *Service) ResetPassword(ctx context.Context, c Caller, name, password string) error {
	if len([]rune(password)) < MinPassword {
		return &survey.Error{Kind: survey.Invalid, Code: "person.password_short"}
	}
	return s.closeAccount(ctx, c, name, "person.password_reset", func(p *survey.Person) { p.PasswordHash = hashPassword(password) })
}

// NewPassword resets a person's password to a random one, which is shown this
// once.
func (s *Service) NewPassword(ctx context.Context, c Caller, name string) (string, error) {
	password := readablePassword()
	return password, s.ResetPassword(ctx, c, name, password)
}

// SetDisabled disables an account, or enables it again. Nobody disables the own.
func (s *Service) SetDisabled(ctx context.Context, c Caller, name string, disabled bool) error {
	action := "person.enabled"
	if disabled {
		action = "person.disabled"
	}
	if disabled && c.id() != "" && strings.EqualFold(name, c.Person.Name) {
		return &survey.Error{Kind: survey.Forbidden, Code: "person.own_account"}
	}
	return s.closeAccount(ctx, c, name, action, func(p *survey.Person) { p.Disabled = disabled })
}

// closeAccount changes an account and signs its devices out.
func (s *Service) closeAccount(ctx context.Context, c Caller, name, action string, change func(*survey.Person)) error {
	p, err := s.managed(ctx, c, name)
	if err != nil {
		return err
	}
	change(p)
	p.Events = append(p.Events, s.event(c, action, nil))
	defer s.bearers.forget()
	if err := s.store.ReplacePerson(ctx, p); err != nil {
		return err
	}
	return s.revokeTokens(ctx, c, p.ID, func(t *survey.Token) bool {
		return t.Purpose == survey.TokenSession || t.Purpose == survey.TokenInvitation
	})
}

// managed finds an account that the caller manages. One outside of the scope
// does not exist for the caller.
func (s *Service) managed(ctx context.Context, c Caller, name string) (*survey.Person, error) {
	if _, err := c.may(survey.OpManagePeople); err != nil {
		return nil, err
	}
	p, err := s.PersonByName(ctx, name)
	if err != nil {
		return nil, err
	}
	tree, _, err := s.Tree(ctx)
	if err != nil {
		return nil, err
	}
	if !c.coversScope(tree, p.Scope) {
		return nil, &survey.Error{Kind: survey.NotFound, Code: "person.unknown", Args: survey.Args{"person": name}}
	}
	return p, nil
}

// ManagedPerson gives an account to who manages it.
func (s *Service) ManagedPerson(ctx context.Context, c Caller, name string) (*survey.Person, error) {
	return s.managed(ctx, c, name)
}

// PersonByName finds an account; NotFound with a sentence that names it.
func (s *Service) PersonByName(ctx context.Context, name string) (*survey.Person, error) {
	p, err := s.store.PersonByName(ctx, strings.ToLower(strings.TrimSpace(name)))
	if isNotFound(err) {
		return nil, &survey.Error{Kind: survey.NotFound, Code: "person.unknown", Args: survey.Args{"person": name}}
	}
	return p, err
}

// People lists the accounts that the caller manages, ordered by name.
func (s *Service) People(ctx context.Context, c Caller) ([]*survey.Person, error) {
	if _, err := c.may(survey.OpManagePeople); err != nil {
		return nil, err
	}
	tree, _, err := s.Tree(ctx)
	if err != nil {
		return nil, err
	}
	out := []*survey.Person{}
	for p, err := range s.store.People(ctx) {
		if err != nil {
			return nil, err
		}
		if c.coversScope(tree, p.Scope) {
			out = append(out, p)
		}
	}
	return out, nil
}

// PeopleFilter narrows down accounts; empty fields do not narrow.
type PeopleFilter struct {
	Text  string // in the sign-in name, the full name, the scope or the home, whatever the diacritics
	Role  survey.AccountRole
	State string // "active" or "disabled"
}

// Matches reports whether the account passes the filter.
func (f PeopleFilter) Matches(p *survey.Person) bool {
	if f.Role != "" && p.Role != f.Role || f.State == "active" && p.Disabled || f.State == "disabled" && !p.Disabled {
		return false
	}
	return survey.NewSearch(f.Text).Finds(p.Name, p.FullName, string(p.Scope), string(p.Home))
}

// SetOwnDisplay changes the caller's language and choices of display.
func (s *Service) SetOwnDisplay(ctx context.Context, c Caller, change func(language *string, d *survey.Display)) error {
	p, err := s.own(ctx, c)
	if err != nil {
		return err
	}
	change(&p.Language, &p.Display)
	if !slices.Contains([]string{"", "vi", "en"}, p.Language) || !p.Display.Valid() {
		return &survey.Error{Kind: survey.Invalid, Code: "person.display"}
	}
	defer s.bearers.forget()
	return s.store.ReplacePerson(ctx, p)
}

// ChangeOwnPassword changes the caller's password and signs out all devices but
// the one with the session. Who has no password yet gets the first from an admin:
// a phone that was signed in by a link must not become more than that.
func (s *Service) ChangeOwnPassword(ctx context.Context, c Caller, old, new, session, address string) error {
	p, err := s.own(ctx, c)
	if err != nil {
		return err
	}
	if p.PasswordHash == "" {
		return &survey.Error{Kind: survey.Invalid, Code: "person.no_password"}
	}
	if _, err := s.proven(ctx, p.Name, old, address); err != nil {
		if survey.CodeOf(err) == "auth.refused" {
			return &survey.Error{Kind: survey.Invalid, Code: "person.old_password"}
		}
		return err
	}
	if len([]rune(new)) < MinPassword {
		return &survey.Error{Kind: survey.Invalid, Code: "person.password_short"}
	}
	p.PasswordHash = hashPassword(new)
	p.Events = append(p.Events, s.event(c, "person.password_changed", nil))
	defer s.bearers.forget()
	if err := s.store.ReplacePerson(ctx, p); err != nil {
		return err
	}
	return s.revokeTokens(ctx, c, p.ID, func(t *survey.Token) bool {
		return t.Purpose == survey.TokenSession && t.Hash != tokenHash(session)
	})
}

// own gives the caller's account as it is stored, to be changed.
func (s *Service) own(ctx context.Context, c Caller) (*survey.Person, error) {
	if _, err := c.may(survey.OpOwnAccount); err != nil {
		return nil, err
	}
	return s.store.Person(ctx, c.id())
}

// PhoneOwner gives the account whose phone wrote a file; Invalid with code
// "accounts.phone_file_stranger" if there is none.
func (s *Service) PhoneOwner(ctx context.Context, c Caller, id survey.PersonID) (*survey.Person, error) {
	if _, err := c.may(survey.OpManagePeople); err != nil {
		return nil, err
	}
	p, err := s.store.Person(ctx, id)
	if isNotFound(err) {
		return nil, &survey.Error{Kind: survey.Invalid, Code: "accounts.phone_file_stranger"}
	}
	return p, err
}
