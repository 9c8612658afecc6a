package mongo

import (
	"maps"
	"slices"

	"github.com/khaosat/khaosat/survey"
)

type templateDoc struct {
	ID            string               `bson:"_id"` // code and version
	Head          head                 `bson:",inline"`
	Code          survey.TemplateCode  `bson:"code"`
	Version       int                  `bson:"version"`
	State         survey.TemplateState `bson:"state"`
	Label         string               `bson:"label,omitempty"`
	Title         pairs                `bson:"title,omitempty"`
	Languages     []string             `bson:"languages,omitempty"`
	LanguageNames pairs                `bson:"language_names,omitempty"`
	Items         []itemDoc            `bson:"items,omitempty"`
	Lists         []choiceListDoc      `bson:"lists,omitempty"`
	Checks        []checkDoc           `bson:"checks,omitempty"`
	Scheme        *schemeDoc           `bson:"scheme,omitempty"`
	InstanceName  string               `bson:"instance_name,omitempty"`
	Settings      pairs                `bson:"settings,omitempty"`
	Cases         []caseDoc            `bson:"cases,omitempty"`
	Events        []eventDoc           `bson:"events,omitempty"`
}

type caseDoc struct {
	Name    string      `bson:"name"`
	Answers []answerDoc `bson:"answers,omitempty"`
	Unit    factsDoc    `bson:"unit"`
	Total   string      `bson:"total"`
	Band    string      `bson:"band,omitempty"`
	Caps    []string    `bson:"caps,omitempty"`
}

type itemDoc struct {
	Name              string          `bson:"name"`
	Kind              survey.ItemKind `bson:"kind"`
	Type              string          `bson:"type,omitempty"`
	Guidance          pairs           `bson:"guidance,omitempty"`
	Media             []mediaDoc      `bson:"media,omitempty"`
	ChoiceFilter      string          `bson:"choice_filter,omitempty"`
	Trigger           string          `bson:"trigger,omitempty"`
	Label             pairs           `bson:"label,omitempty"`
	Hint              pairs           `bson:"hint,omitempty"`
	List              string          `bson:"list,omitempty"`
	Items             []itemDoc       `bson:"items,omitempty"`
	Relevant          string          `bson:"relevant,omitempty"`
	Required          string          `bson:"required,omitempty"`
	RequiredMessage   pairs           `bson:"required_message,omitempty"`
	Constraint        string          `bson:"constraint,omitempty"`
	ConstraintMessage pairs           `bson:"constraint_message,omitempty"`
	Calculation       string          `bson:"calculation,omitempty"`
	Default           string          `bson:"default,omitempty"`
	Appearance        string          `bson:"appearance,omitempty"`
	Parameters        string          `bson:"parameters,omitempty"`
	RepeatCount       string          `bson:"repeat_count,omitempty"`
	ReadOnly          bool            `bson:"read_only,omitempty"`
	Points            *float64        `bson:"points,omitempty"`
	Steps             []stepDoc       `bson:"steps,omitempty"`
	NA                survey.NAPolicy `bson:"na,omitempty"`
	Reverse           bool            `bson:"reverse,omitempty"`
	Bonus             bool            `bson:"bonus,omitempty"`
	Applies           string          `bson:"applies,omitempty"`
	Evidence          string          `bson:"evidence,omitempty"`
	Role              survey.ItemRole `bson:"role,omitempty"`
	TagsList          string          `bson:"tags_list,omitempty"`
	Was               string          `bson:"was,omitempty"`
}

type mediaDoc struct {
	Form  string `bson:"form"`
	Files pairs  `bson:"files"`
}

func mediaDocsOf(m map[string]survey.Text) []mediaDoc {
	var out []mediaDoc
	for _, form := range slices.Sorted(maps.Keys(m)) {
		out = append(out, mediaDoc{form, pairs(m[form])})
	}
	return out
}

func mediaOf(docs []mediaDoc) map[string]survey.Text {
	if len(docs) == 0 {
		return nil
	}
	out := make(map[string]survey.Text, len(docs))
	for _, d := range docs {
		out[d.Form] = survey.Text(d.Files)
	}
	return out
}

type stepDoc struct {
	When   string `bson:"when"`
	Points string `bson:"points"`
}

type choiceListDoc struct {
	Name    string      `bson:"name"`
	Choices []choiceDoc `bson:"choices,omitempty"`
}

type choiceDoc struct {
	Name    string         `bson:"name"`
	Label   pairs          `bson:"label,omitempty"`
	Points  *float64       `bson:"points,omitempty"`
	Means   survey.Meaning `bson:"means,omitempty"`
	Anchor  pairs          `bson:"anchor,omitempty"`
	Media   []mediaDoc     `bson:"media,omitempty"`
	Columns pairs          `bson:"columns,omitempty"`
}

type checkDoc struct {
	Code  string `bson:"code"`
	Test  string `bson:"test"`
	Item  string `bson:"item,omitempty"`
	Label pairs  `bson:"label,omitempty"`
}

type schemeDoc struct {
	Total        float64            `bson:"total"`
	NA           survey.NAPolicy    `bson:"na_policy"`
	Rescale      survey.RescaleMode `bson:"rescale"`
	Blank        survey.BlankPolicy `bson:"blank,omitempty"`
	Decimals     int                `bson:"decimals"`
	MinAvailable float64            `bson:"min_available"`
	Graded       bool               `bson:"graded"`
	Bands        []bandDoc          `bson:"bands,omitempty"`
	Caps         []capDoc           `bson:"caps,omitempty"`
	Applies      string             `bson:"applies,omitempty"`
	Roles        []survey.Role      `bson:"roles,omitempty"`
}

type bandDoc struct {
	Code  string  `bson:"code"`
	Min   float64 `bson:"min"`
	Label pairs   `bson:"label,omitempty"`
	Color string  `bson:"color,omitempty"`
}

type capDoc struct {
	Code  string `bson:"code"`
	When  string `bson:"when"`
	Band  string `bson:"band"`
	Label pairs  `bson:"label,omitempty"`
}

func templateDocOf(t *survey.Template, h head) *templateDoc {
	return &templateDoc{ID: templateID(t.Code, t.Version), Head: h, Code: t.Code, Version: t.Version, State: t.State,
		Label: t.Label, Title: pairs(t.Title), Languages: t.Languages, Items: each(t.Items, itemDocOf),
		Lists: each(t.Lists, choiceListDocOf), Checks: each(t.Checks, checkDocOf), Scheme: schemeDocOf(t.Scheme),
		InstanceName: t.InstanceName, Settings: pairs(t.Settings), LanguageNames: pairs(t.LanguageNames), Cases: each(t.Cases, caseDocOf), Events: each(t.Events, eventDocOf)}
}

func caseDocOf(c survey.Case) caseDoc {
	return caseDoc{Name: c.Name, Answers: each(c.Answers, answerDocOf), Unit: factsDoc(c.Unit), Total: c.Total, Band: c.Band, Caps: c.Caps}
}

func (d caseDoc) testCase() survey.Case {
	return survey.Case{Name: d.Name, Answers: each(d.Answers, answerDoc.answer), Unit: survey.UnitFacts(d.Unit), Total: d.Total, Band: d.Band, Caps: d.Caps}
}

func (d *templateDoc) template() *survey.Template {
	return &survey.Template{Code: d.Code, Version: d.Version, State: d.State, Label: d.Label, Title: survey.Text(d.Title),
		Languages: d.Languages, Items: each(d.Items, itemDoc.item), Lists: each(d.Lists, choiceListDoc.list),
		Checks: each(d.Checks, checkDoc.check), Scheme: d.Scheme.scheme(), InstanceName: d.InstanceName,
		Settings: map[string]string(d.Settings), LanguageNames: map[string]string(d.LanguageNames), Cases: each(d.Cases, caseDoc.testCase),
		Rev: d.Head.Rev, Events: each(d.Events, eventDoc.event)}
}

func itemDocOf(i survey.Item) itemDoc {
	return itemDoc{Name: i.Name, Kind: i.Kind, Type: i.Type, Guidance: pairs(i.Guidance), Media: mediaDocsOf(i.Media),
		ChoiceFilter: i.ChoiceFilter, Trigger: i.Trigger, Label: pairs(i.Label), Hint: pairs(i.Hint), List: i.List,
		Items: each(i.Items, itemDocOf), Relevant: i.Relevant, Required: i.Required,
		RequiredMessage: pairs(i.RequiredMessage), Constraint: i.Constraint, ConstraintMessage: pairs(i.ConstraintMessage),
		Calculation: i.Calculation, Default: i.Default, Appearance: i.Appearance, Parameters: i.Parameters,
		RepeatCount: i.RepeatCount, ReadOnly: i.ReadOnly, Points: pointsOrNil(i.Points),
		Steps: each(i.Steps, func(s survey.Step) stepDoc { return stepDoc(s) }), NA: i.NA, Reverse: i.Reverse,
		Bonus: i.Bonus, Applies: i.Applies, Evidence: i.Evidence, Role: i.Role, TagsList: i.TagsList, Was: i.Was}
}

func (d itemDoc) item() survey.Item {
	return survey.Item{Name: d.Name, Kind: d.Kind, Type: d.Type, Guidance: survey.Text(d.Guidance), Media: mediaOf(d.Media),
		ChoiceFilter: d.ChoiceFilter, Trigger: d.Trigger, Label: survey.Text(d.Label), Hint: survey.Text(d.Hint), List: d.List,
		Items: each(d.Items, itemDoc.item), Relevant: d.Relevant, Required: d.Required,
		RequiredMessage: survey.Text(d.RequiredMessage), Constraint: d.Constraint, ConstraintMessage: survey.Text(d.ConstraintMessage),
		Calculation: d.Calculation, Default: d.Default, Appearance: d.Appearance, Parameters: d.Parameters,
		RepeatCount: d.RepeatCount, ReadOnly: d.ReadOnly, Points: toPointsOrNil(d.Points),
		Steps: each(d.Steps, func(s stepDoc) survey.Step { return survey.Step(s) }), NA: d.NA, Reverse: d.Reverse,
		Bonus: d.Bonus, Applies: d.Applies, Evidence: d.Evidence, Role: d.Role, TagsList: d.TagsList, Was: d.Was}
}

func choiceListDocOf(l survey.ChoiceList) choiceListDoc {
	return choiceListDoc{Name: l.Name, Choices: each(l.Choices, func(c survey.Choice) choiceDoc {
		return choiceDoc{Name: c.Name, Label: pairs(c.Label), Points: pointsOrNil(c.Points), Means: c.Means, Anchor: pairs(c.Anchor),
			Media: mediaDocsOf(c.Media), Columns: pairs(c.Columns)}
	})}
}

func (d choiceListDoc) list() survey.ChoiceList {
	return survey.ChoiceList{Name: d.Name, Choices: each(d.Choices, func(c choiceDoc) survey.Choice {
		return survey.Choice{Name: c.Name, Label: survey.Text(c.Label), Points: toPointsOrNil(c.Points), Means: c.Means, Anchor: survey.Text(c.Anchor),
			Media: mediaOf(c.Media), Columns: map[string]string(c.Columns)}
	})}
}

func checkDocOf(c survey.Check) checkDoc {
	return checkDoc{Code: c.Code, Test: c.Test, Item: c.Item, Label: pairs(c.Label)}
}

func (d checkDoc) check() survey.Check {
	return survey.Check{Code: d.Code, Test: d.Test, Item: d.Item, Label: survey.Text(d.Label)}
}

func schemeDocOf(s *survey.Scheme) *schemeDoc {
	if s == nil {
		return nil
	}
	return &schemeDoc{Total: points(s.Total), NA: s.NA, Rescale: s.Rescale, Blank: s.Blank, Decimals: s.Decimals,
		MinAvailable: s.MinAvailable, Graded: s.Graded, Applies: s.Applies, Roles: s.Roles,
		Bands: each(s.Bands, func(b survey.Band) bandDoc {
			return bandDoc{Code: b.Code, Min: points(b.Min), Label: pairs(b.Label), Color: b.Color}
		}),
		Caps: each(s.Caps, func(c survey.Cap) capDoc {
			return capDoc{Code: c.Code, When: c.When, Band: c.Band, Label: pairs(c.Label)}
		})}
}

func (d *schemeDoc) scheme() *survey.Scheme {
	if d == nil {
		return nil
	}
	return &survey.Scheme{Total: toPoints(d.Total), NA: d.NA, Rescale: d.Rescale, Blank: d.Blank, Decimals: d.Decimals,
		MinAvailable: d.MinAvailable, Graded: d.Graded, Applies: d.Applies, Roles: d.Roles,
		Bands: each(d.Bands, func(b bandDoc) survey.Band {
			return survey.Band{Code: b.Code, Min: toPoints(b.Min), Label: survey.Text(b.Label), Color: b.Color}
		}),
		Caps: each(d.Caps, func(c capDoc) survey.Cap {
			return survey.Cap{Code: c.Code, When: c.When, Band: c.Band, Label: survey.Text(c.Label)}
		})}
}
