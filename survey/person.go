package survey

import (
	"slices"
	"time"
)

// AccountRole is what a person may do in khaosat; see May.
type AccountRole string

const (
	Admin      AccountRole = "admin"
	Manager    AccountRole = "manager"
	Analyst    AccountRole = "analyst"
	Reviewer   AccountRole = "reviewer"
	Observer   AccountRole = "observer"
	Respondent AccountRole = "respondent"
)

// AccountRoles lists the roles, the most powerful first.
var AccountRoles = []AccountRole{Admin, Manager, Analyst, Reviewer, Observer, Respondent}

// Person is an account.
type Person struct {
	ID PersonID `json:"id"`
	// Name is what the person signs in with: 1 to 64 letters, digits, '.', '_',
	// '-' in lower case, unique.
	Name     string      `json:"name"`
	FullName string      `json:"full_name"`
	Role     AccountRole `json:"role"`
	// Scope is the unit on which, with everything under it, the role holds;
	// "" means the whole tree.
	Scope UnitCode `json:"scope,omitempty"`
	// Home is the unit the person belongs to, for the conflict rule.
	Home UnitCode `json:"home,omitempty"`
	// Language is "vi" or "en"; "" leaves it to the client.
	Language string `json:"language,omitempty"`
	// Display is how the person wants pages to look.
	Display Display `json:"display,omitzero"`
	// PasswordHash is argon2id in PHC form; "" if no password was set.
	PasswordHash string `json:"password_hash,omitempty"`
	// Tried are the tries at practice cases, oldest first.
	Tried    []Tried `json:"tried,omitempty"`
	Disabled bool    `json:"disabled,omitempty"`
	Rev      int64   `json:"rev"`
	Events   []Event `json:"events,omitempty"`
}

// Display is how a person wants pages to look. The zero value leaves it to the
// device and to us.
type Display struct {
	// Theme is "light" or "dark"; "" follows the device.
	Theme string `json:"theme,omitempty"`
	// Text is "large" or "larger"; "" is the usual size.
	Text string `json:"text,omitempty"`
	// Form is "sections" (one section a screen) or "whole" (the whole form on
	// one page); "" leaves it to the form.
	Form string `json:"form,omitempty"`
}

// The values of Display, the first of each being the usual one.
var (
	Themes    = []string{"", "light", "dark"}
	TextSizes = []string{"", "large", "larger"}
	FormViews = []string{"", "sections", "whole"}
)

// Valid reports whether each of the choices is one there is.
func (d Display) Valid() bool {
	return slices.Contains(Themes, d.Theme) && slices.Contains(TextSizes, d.Text) && slices.Contains(FormViews, d.Form)
}

// TokenPurpose says which door a token opens.
type TokenPurpose string

const (
	// TokenAPI is a personal API token, sent as "Authorization: Bearer".
	TokenAPI TokenPurpose = "api"
	// TokenSession is a browser session, sent as a cookie.
	TokenSession TokenPurpose = "session"
	// TokenInvitation is a link that signs a phone in once.
	TokenInvitation TokenPurpose = "invitation"
	// TokenOpenRosa stands in the address that ODK Collect and its kin are set up
	// with, or is the password of clients that ask for one.
	TokenOpenRosa TokenPurpose = "openrosa"
	// TokenFeed stands in an address that a program refreshes tables from; it
	// reads summaries and nothing else.
	TokenFeed TokenPurpose = "feed"
	// TokenSetup is the link that makes the first account; it belongs to nobody.
	TokenSetup TokenPurpose = "setup"
)

// Token is a secret that was handed out, kept as a hash. The secret is random
// and long, so a fast hash serves.
type Token struct {
	// Hash is the SHA-256 of the secret in lower-case hex; it is the identity.
	Hash    string       `json:"hash"`
	Person  PersonID     `json:"person"`
	Purpose TokenPurpose `json:"purpose"`
	// Label says where it is used, for its owner: "Chrome, Android".
	Label   string    `json:"label,omitempty"`
	Created time.Time `json:"created"`
	// Expires is the zero time for a token that does not.
	Expires  time.Time `json:"expires,omitzero"`
	Revoked  time.Time `json:"revoked,omitzero"`
	LastUsed time.Time `json:"last_used,omitzero"`
	// Used is when an invitation or a set-up link was used up, and UsedBy the
	// hash of the secret of the browser that did, so that this browser alone may
	// ask again when the answer got lost.
	Used   time.Time `json:"used,omitzero"`
	UsedBy string    `json:"used_by,omitempty"`
	Rev    int64     `json:"rev"`
	Events []Event   `json:"events,omitempty"`
}

// Live reports whether the token opens anything at the time.
func (t *Token) Live(now time.Time) bool {
	return t.Revoked.IsZero() && t.Used.IsZero() && (t.Expires.IsZero() || now.Before(t.Expires))
}
