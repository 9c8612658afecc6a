package service

import (
	"context"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/khaosat/khaosat/app/openrosa"
	"github.com/khaosat/khaosat/survey"
)

// XForm writes a template as the form that OpenRosa clients get. Invalid if the
// template has errors.
func XForm(t *survey.Template) ([]byte, error) {
	if _, problems := survey.Compile(t, nil); problems.HasErrors() {
		return nil, problems.Err("template.invalid")
	}
	return openrosa.XForm(t, openrosa.Options{Visits: true})
}

// odkCache keeps what never changes once it is there.
type odkCache struct {
	forms   sync.Map // of *ODKForm by formKey
	readers sync.Map // of *openrosa.Reader by formKey
}

// ODKForm is a template version as ODK clients get it.
type ODKForm struct {
	Code    survey.TemplateCode
	Version int
	Title   survey.Text
	Bytes   []byte
	Hash    string // "md5:" and hex
}

// ODKForm gives a template version's form: the bytes that were handed out first,
// for ever. NotFound for a draft, which changes.
func (s *Service) ODKForm(ctx context.Context, code survey.TemplateCode, version int) (*ODKForm, error) {
	if f, ok := s.odk.forms.Load(formKey{code, version}); ok {
		return f.(*ODKForm), nil
	}
	compiled, err := s.Form(ctx, code, version)
	if err != nil {
		return nil, err
	}
	t := compiled.Template
	if t.State == survey.Draft {
		return nil, &survey.Error{Kind: survey.NotFound, Code: "form.unknown", Args: survey.Args{"form": string(code), "version": strconv.Itoa(version)}}
	}
	b, err := s.store.Form(ctx, code, version)
	if isNotFound(err) {
		if b, err = XForm(t); err == nil {
			b, err = s.store.KeepForm(ctx, code, version, b)
		}
	}
	if err != nil {
		return nil, err
	}
	f := &ODKForm{Code: code, Version: version, Title: t.Title, Bytes: b, Hash: openrosa.Hash(b)}
	s.odk.forms.Store(formKey{code, version}, f)
	return f, nil
}

// reader gives the reader of a template version's filled-in forms.
func (s *Service) reader(c *Compiled) *openrosa.Reader {
	key := formKey{c.Template.Code, c.Template.Version}
	if r, ok := s.odk.readers.Load(key); ok && c.Template.State != survey.Draft {
		return r.(*openrosa.Reader)
	}
	r := openrosa.NewReader(c.Template)
	if c.Template.State != survey.Draft {
		s.odk.readers.Store(key, r)
	}
	return r
}

// ODKForms lists the forms of the caller's visits, ordered by code and version:
// those of open rounds, and of a closed one as long as a visit of the caller's
// is not settled, since its form may be half filled in on the phone. With all,
// every version that a round allows is there, else the one for new forms.
func (s *Service) ODKForms(ctx context.Context, who *OpenRosaCaller, all bool) ([]*ODKForm, error) {
	visits, err := s.odkVisits(ctx, who)
	if err != nil {
		return nil, err
	}
	wanted := map[formKey]bool{}
	for i := range visits {
		v := &visits[i]
		if v.round.Closed && v.settled() {
			continue
		}
		rt, _ := v.round.Template(v.Template)
		for _, version := range rt.Versions {
			if all || version == v.Version {
				wanted[formKey{v.Template, version}] = true
			}
		}
	}
	out := make([]*ODKForm, 0, len(wanted))
	for key := range wanted {
		f, err := s.ODKForm(ctx, key.code, key.version)
		if err != nil {
			return nil, err
		}
		out = append(out, f)
	}
	slices.SortFunc(out, func(a, b *ODKForm) int {
		if a.Code != b.Code {
			return strings.Compare(string(a.Code), string(b.Code))
		}
		return a.Version - b.Version
	})
	return out, nil
}

// odkVisit is a visit with its round.
type odkVisit struct {
	OwnVisit
	round *survey.Round
}

// settled reports whether a rating is in that nobody asks to be changed.
func (v *odkVisit) settled() bool {
	return v.Rating != nil && v.Rating.State.Counts()
}

// odkVisits lists the caller's own visits. Nothing is given out by a revoked token.
func (s *Service) odkVisits(ctx context.Context, who *OpenRosaCaller) ([]odkVisit, error) {
	if who.DepositOnly {
		return nil, &survey.Error{Kind: survey.Forbidden, Code: "openrosa.token"}
	}
	own, err := s.OwnVisits(ctx, who.Caller)
	if err != nil {
		return nil, err
	}
	out := make([]odkVisit, 0, len(own))
	for _, v := range own {
		if v.Observer != who.id() || !v.Status.Open() || v.Standing == nil {
			continue // managers see the assignments of others too
		}
		round, err := s.round(ctx, v.Round)
		if err != nil {
			return nil, err
		}
		if v.Rating == nil && who.Person.MustPractise(round, v.Role, s.Now()) {
			continue // the page of the visits says why
		}
		out = append(out, odkVisit{v, round})
	}
	return out, nil
}

// ODKVisits writes the caller's visits.csv for a form: the visits for which this
// version may be used, those that are still to be made first. Say gives a role
// its name.
func (s *Service) ODKVisits(ctx context.Context, who *OpenRosaCaller, code survey.TemplateCode, version int, say func(survey.Role) string) ([]byte, error) {
	visits, err := s.odkVisits(ctx, who)
	if err != nil {
		return nil, err
	}
	_, lists, err := s.Tree(ctx)
	if err != nil {
		return nil, err
	}
	var open, done []openrosa.VisitLine
	seen := map[string]bool{}
	for i := range visits {
		v := &visits[i]
		rt, _ := v.round.Template(v.Template)
		name := visitName(&v.VisitKey)
		if v.Template != code || !rt.Allows(version) || seen[name] || v.round.Closed && v.settled() {
			continue
		}
		seen[name] = true
		line := visitLine(v, name, lists, say)
		if v.settled() {
			line.Label = "✓ " + line.Label
			done = append(done, line)
		} else {
			open = append(open, line)
		}
	}
	return openrosa.Visits(append(open, done...)), nil
}

// visitName names a visit in forms; parseVisitName reads it. No code holds a
// colon, and the period comes from the date in the form.
func visitName(k *survey.VisitKey) string {
	return string(k.Round) + ":" + string(k.Unit) + ":" + string(k.Role)
}

func parseVisitName(s string) (round survey.RoundCode, unit survey.UnitCode, role survey.Role, ok bool) {
	parts := strings.Split(s, ":")
	if len(parts) != 3 || !survey.ValidCode(parts[0]) || !survey.ValidCode(parts[1]) || !slices.Contains(survey.RatingRoles, survey.Role(parts[2])) {
		return "", "", "", false
	}
	return survey.RoundCode(parts[0]), survey.UnitCode(parts[1]), survey.Role(parts[2]), true
}

func visitLine(v *odkVisit, name string, lists *survey.TypeLists, say func(survey.Role) string) openrosa.VisitLine {
	st := v.Standing
	label := st.Name + " (" + string(st.Unit) + ")"
	if v.Role != survey.RoleObserver {
		label += " · " + say(v.Role)
	}
	if v.Due != 0 {
		label += " · " + v.Due.String()
	}
	line := openrosa.VisitLine{Name: name, Label: label, Round: string(v.Round), Unit: string(st.Unit), Role: string(v.Role), Path: strings.Join(v.PathNames, " › "),
		Sector: st.Sector, Structure: st.Structure, Setting: st.Setting, Members: strconv.Itoa(st.Members), Tags: strings.Join(st.Tags, " ")}
	if v.Due != 0 {
		line.Due = v.Due.String()
	}
	if v.round.ShowScore {
		line.ShowScore = "1"
	}
	var sectors []string
	add := func(code string) {
		if !slices.Contains(sectors, code) && lists.SectorUnder(st.Sector, code) {
			sectors = append(sectors, code)
		}
	}
	for i := range lists.Sectors {
		add(lists.Sectors[i].Code)
	}
	for i := range lists.Rollups {
		add(lists.Rollups[i].Code)
	}
	line.Sectors = strings.Join(sectors, " ")
	return line
}
