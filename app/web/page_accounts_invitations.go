package web

import (
	"fmt"
	"html/template"
	"net/url"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"
	"rsc.io/qr"

	"github.com/khaosat/khaosat/app/service"
	"github.com/khaosat/khaosat/survey"
)

// browserCookie marks a browser, so that one whose answer got lost may ask for
// its session again.
const browserCookie = "khaosat_browser"

// away is where people reach the server from elsewhere: "https://example.org".
func (q *request) away() string {
	if q.server.config.BaseURL != "" {
		return q.server.config.BaseURL
	}
	return q.BaseURL()
}

type invitationPage struct {
	Person  *survey.Person
	Other   *survey.Person // who else is signed in on this phone, or nil
	Inside  string         // the app in whose browser the page is open
	Address string
	Leave   template.URL // opens the real browser on Android
}

// pageInvitation shows whom the link is for. It uses nothing up: programs that
// make previews and scan links open it long before its owner does.
func (s *Server) pageInvitation(q *request) error {
	q.unshared()
	secret, browser := q.Params("secret"), q.Cookies(browserCookie)
	p, err := s.svc.OpenInvitation(q.ctx, secret, browser, q.address())
	if err != nil {
		return err
	}
	if browser == "" {
		q.Cookie(&fiber.Cookie{Name: browserCookie, Value: service.NewSecret(), Path: "/", HTTPOnly: true, Secure: s.config.Secure, SameSite: "Lax", Expires: time.Now().AddDate(1, 0, 0)})
	}
	data := invitationPage{Person: p, Inside: innerBrowser(q.Get(fiber.HeaderUserAgent)), Address: q.away() + "/invitation/" + url.PathEscape(secret)}
	if q.caller.Person != nil && q.caller.Person.ID != p.ID {
		data.Other = q.caller.Person
	}
	if scheme, rest, ok := strings.Cut(data.Address, "://"); ok && strings.Contains(q.Get(fiber.HeaderUserAgent), "Android") {
		data.Leave = template.URL("intent://" + rest + "#Intent;scheme=" + scheme + ";action=android.intent.action.VIEW;category=android.intent.category.BROWSABLE;end")
	}
	return s.show(q.Ctx, 200, "invitation", q.page(q.say("accounts.invitation"), data))
}

// pageAcceptInvitation signs the phone in.
func (s *Server) pageAcceptInvitation(q *request) error {
	q.unshared()
	if _, err := q.ownForm(); err != nil {
		return err
	}
	session, expires, _, err := s.svc.AcceptInvitation(q.ctx, q.Params("secret"), q.Cookies(browserCookie), q.browser())
	if err != nil {
		return err
	}
	q.keepSession(session, expires)
	return q.Redirect("/", fiber.StatusSeeOther)
}

// card is one invitation on the sheet that is printed.
type card struct {
	Person  *survey.Person
	Link    string
	QR      template.HTML
	Expires time.Time
}

type cardsPage struct {
	Cards []card
}

// mostInvitations bounds what one sheet holds.
const mostInvitations = 500

// pageInvite makes an invitation for each account that was chosen and shows
// them, this once, as cards to print.
func (s *Server) pageInvite(q *request) error {
	form, err := q.form()
	if err != nil {
		return err
	}
	q.unshared()
	names := form["name"]
	if len(names) == 0 || len(names) > mostInvitations {
		return &survey.Error{Kind: survey.Invalid, Code: "invitation.none", Args: survey.Args{"most": fmt.Sprint(mostInvitations)}}
	}
	made, err := s.svc.Invite(q.ctx, q.caller, names)
	if err != nil {
		return err
	}
	data := cardsPage{}
	for _, i := range made {
		link := q.away() + "/invitation/" + i.Secret
		picture, err := qrPicture(link)
		if err != nil {
			return err
		}
		data.Cards = append(data.Cards, card{i.Person, link, picture, i.Expires})
	}
	return s.show(q.Ctx, 200, "invitation-cards", q.page(q.say("accounts.invitations"), data))
}

// qrQuiet is the white margin that scanners need, in modules (ISO/IEC 18004).
const qrQuiet = 4

// qrPicture draws a QR code as SVG, black on white whatever the theme: one path,
// a run of dark modules at a time.
func qrPicture(text string) (template.HTML, error) {
	code, err := qr.Encode(text, qr.M)
	if err != nil {
		return "", err
	}
	var b strings.Builder
	side := code.Size + 2*qrQuiet
	fmt.Fprintf(&b, `<svg class="qr" viewBox="0 0 %d %d" shape-rendering="crispEdges" aria-hidden="true"><path fill="#fff" d="M0 0h%dv%dH0z"/><path fill="#000" d="`, side, side, side, side)
	for y := range code.Size {
		for x := 0; x < code.Size; x++ {
			from := x
			for x < code.Size && code.Black(x, y) {
				x++
			}
			if x > from {
				fmt.Fprintf(&b, "M%d %dh%dv1H%dz", from+qrQuiet, y+qrQuiet, x-from, from+qrQuiet)
			}
		}
	}
	b.WriteString(`"/></svg>`)
	return template.HTML(b.String()), nil // of numbers only
}
