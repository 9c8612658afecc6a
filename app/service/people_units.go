package service

import (
	"context"
	"slices"

	"github.com/khaosat/khaosat/survey"
)

// UnitChoice is a unit to choose from.
type UnitChoice struct {
	Code survey.UnitCode
	Name string
}

// mostUnitChoices bounds a list to choose from.
const mostUnitChoices = 500

// Superiors lists the units in the caller's scope that have others beneath
// them, in the tree's order: what scopes are usually made of. Of a very large
// tree only the first 500.
func (s *Service) Superiors(ctx context.Context, c Caller) ([]UnitChoice, error) {
	if _, err := c.may(survey.OpReadUnits); err != nil {
		return nil, err
	}
	tree, _, err := s.Tree(ctx)
	if err != nil {
		return nil, err
	}
	above := map[survey.UnitCode]bool{}
	for _, u := range tree.Units() {
		if span := u.On(0); span != nil {
			above[span.Parent] = true
		}
	}
	var out []UnitChoice
	for _, u := range tree.Units() {
		if !above[u.Code] || !c.coversScope(tree, u.Code) {
			continue
		}
		if out = append(out, UnitChoice{u.Code, u.On(0).Name}); len(out) == mostUnitChoices {
			break
		}
	}
	return out, nil
}

// UnitNamed gives the code that somebody means who wrote a code in whatever
// letter case, or the name of the only unit of that name. What is neither comes
// back as it is.
func (s *Service) UnitNamed(ctx context.Context, text survey.UnitCode) (survey.UnitCode, error) {
	tree, _, err := s.Tree(ctx)
	if err != nil {
		return "", err
	}
	if text == "" || tree.Unit(text) != nil {
		return text, nil
	}
	return indexUnits(tree).named(tree, text), nil
}

// unitIndex has the units of a tree by folded code and by folded name.
type unitIndex map[string][]survey.UnitCode

func indexUnits(tree *survey.Tree) unitIndex {
	x := unitIndex{}
	for _, u := range tree.Units() {
		code, name := survey.Fold(string(u.Code)), ""
		if span := u.On(0); span != nil {
			name = survey.Fold(span.Name)
		}
		x[code] = append(x[code], u.Code)
		if name != "" && name != code {
			x[name] = append(x[name], u.Code)
		}
	}
	return x
}

func (x unitIndex) named(tree *survey.Tree, text survey.UnitCode) survey.UnitCode {
	if text == "" || tree.Unit(text) != nil {
		return text
	}
	if found := x[survey.Fold(string(text))]; len(found) == 1 {
		return found[0]
	}
	return text
}

// mostCompared is up to how many units a tree is searched for what was likely
// meant; in larger ones it would take too long, and much would look alike.
const mostCompared = 1000

// closestUnit suggests the code that was likely meant.
func closestUnit(tree *survey.Tree, code survey.UnitCode) string {
	if tree.Len() > mostCompared {
		return ""
	}
	codes := make([]string, 0, tree.Len())
	for _, u := range tree.Units() {
		codes = append(codes, string(u.Code))
	}
	slices.Sort(codes)
	return survey.Closest(string(code), codes)
}
