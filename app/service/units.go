package service

import (
	"context"
	"errors"

	"github.com/khaosat/khaosat/survey"
)

// ReplaceTypeLists stores the type lists of the installation.
func (s *Service) ReplaceTypeLists(ctx context.Context, c Caller, l *survey.TypeLists) error {
	if _, err := c.may(survey.OpWriteUnits); err != nil {
		return err
	}
	defer s.forgetTree()
	return s.store.ReplaceTypeLists(ctx, l)
}

// TypeLists gives the type lists.
func (s *Service) TypeLists(ctx context.Context, c Caller) (*survey.TypeLists, error) {
	if _, err := c.may(survey.OpReadUnits); err != nil {
		return nil, err
	}
	_, lists, err := s.Tree(ctx)
	return lists, err
}

// ImportUnits stores units, new and changed, after checking the tree as it
// would be. With dryRun it only checks. Invalid with all problems otherwise.
func (s *Service) ImportUnits(ctx context.Context, c Caller, units []*survey.Unit, dryRun bool) (survey.Problems, error) {
	if _, err := c.may(survey.OpWriteUnits); err != nil {
		return nil, err
	}
	tree, lists, _, err := s.treeAt(ctx, 0)
	if err != nil {
		return nil, err
	}
	whole := survey.NewTree(append(append([]*survey.Unit(nil), tree.Units()...), units...))
	problems := whole.Check(lists)
	if err := problems.Err("units.invalid"); err != nil || dryRun {
		return problems, err
	}
	for _, u := range units {
		if err := errors.Join(c.coversUnit(tree, u.Code), c.coversUnit(whole, u.Code)); err != nil {
			return problems, err
		}
		action := "unit.imported"
		if before := tree.Unit(u.Code); before != nil {
			u.Events = append(before.Events, s.event(c, action, nil))
		} else {
			u.Events = []survey.Event{s.event(c, action, nil)}
		}
	}
	defer s.forgetTree()
	return problems, s.store.PutUnits(ctx, units)
}

// coversUnit answers Forbidden when the unit, at any time, lies outside of the
// caller's scope in the tree. A unit that is not in the tree lies nowhere.
func (c Caller) coversUnit(tree *survey.Tree, code survey.UnitCode) error {
	u := tree.Unit(code)
	if u == nil {
		return nil
	}
	for i, span := range u.Spans {
		day := span.From
		if day == 0 && i+1 < len(u.Spans) {
			day = u.Spans[i+1].From - 1
		}
		standing, err := tree.Standing(code, day)
		if err != nil {
			return err
		}
		if err := c.covers(standing); err != nil {
			return err
		}
	}
	return nil
}

// Units lists the units of the caller's scope as they stand on the day (zero:
// the latest), after the one given, at most limit. Units that do not exist on
// the day are left out, and so are those without the words of the search in their
// name or code.
func (s *Service) Units(ctx context.Context, c Caller, day survey.Date, under, after survey.UnitCode, search string, limit int) ([]*survey.Standing, error) {
	if _, err := c.may(survey.OpReadUnits); err != nil {
		return nil, err
	}
	tree, _, err := s.Tree(ctx)
	if err != nil {
		return nil, err
	}
	out := []*survey.Standing{}
	skipping, wanted := after != "", survey.NewSearch(search)
	for _, u := range tree.Units() {
		if skipping {
			skipping = u.Code != after
			continue
		}
		standing, err := tree.Standing(u.Code, day)
		if err != nil || !c.Person.Covers(standing) || (under != "" && !standing.Under(under)) || !wanted.Finds(standing.Name, string(u.Code)) {
			continue
		}
		if out = append(out, standing); len(out) == limit {
			break
		}
	}
	return out, nil
}

// Unit gives one unit with its history. Forbidden outside of the caller's scope.
func (s *Service) Unit(ctx context.Context, c Caller, code survey.UnitCode) (*survey.Unit, error) {
	if _, err := c.may(survey.OpReadUnits); err != nil {
		return nil, err
	}
	tree, _, err := s.Tree(ctx)
	if err != nil {
		return nil, err
	}
	standing, err := tree.Standing(code, 0)
	if err != nil {
		return nil, err
	}
	return tree.Unit(code), c.covers(standing)
}
