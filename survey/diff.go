package survey

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
)

// DifferenceKind is what happened to a part of a template between two versions. The
// catalogue has a sentence for each, "diff." and the kind.
type DifferenceKind string

const (
	ItemAdded      DifferenceKind = "item_added"
	ItemRemoved    DifferenceKind = "item_removed"
	ItemRenamed    DifferenceKind = "item_renamed"
	ItemMoved      DifferenceKind = "item_moved" // to another group
	ItemType       DifferenceKind = "item_type"
	ItemPoints     DifferenceKind = "item_points"
	ItemScoring    DifferenceKind = "item_scoring" // steps, N/A policy, reverse, bonus
	ItemLogic      DifferenceKind = "item_logic"   // when it is asked, what it must be
	ItemText       DifferenceKind = "item_text"
	ItemList       DifferenceKind = "item_list" // chooses from another list
	ChoiceAdded    DifferenceKind = "choice_added"
	ChoiceRemoved  DifferenceKind = "choice_removed"
	ChoicePoints   DifferenceKind = "choice_points"
	ChoiceText     DifferenceKind = "choice_text"
	CapAdded       DifferenceKind = "cap_added"
	CapRemoved     DifferenceKind = "cap_removed"
	CapChanged     DifferenceKind = "cap_changed"
	BandAdded      DifferenceKind = "band_added"
	BandRemoved    DifferenceKind = "band_removed"
	BandChanged    DifferenceKind = "band_changed"
	CheckAdded     DifferenceKind = "check_added"
	CheckRemoved   DifferenceKind = "check_removed"
	CheckChanged   DifferenceKind = "check_changed"
	CaseAdded      DifferenceKind = "case_added" // of the test cases
	CaseRemoved    DifferenceKind = "case_removed"
	CaseChanged    DifferenceKind = "case_changed"
	SchemeChanged  DifferenceKind = "scheme_changed"
	TitleChanged   DifferenceKind = "title"
	LanguagesOther DifferenceKind = "languages"
)

// Difference is one difference between two versions. Name is that of the item,
// choice, cap, band or check in the later version (in the earlier, if it is
// gone); List is the list of a choice.
type Difference struct {
	Kind   DifferenceKind `json:"kind"`
	Name   string         `json:"name,omitempty"`
	List   string         `json:"list,omitempty"`
	Field  string         `json:"field,omitempty"`
	Before string         `json:"before,omitempty"`
	After  string         `json:"after,omitempty"`
	// Label is the label of what changed, of the later version if it is there.
	Label Text `json:"label,omitempty"`
}

// Comparable reports whether what is answered after the change can be counted
// with what was answered before.
func (c Difference) Comparable() bool {
	switch c.Kind {
	case ItemRemoved, ItemType, ItemPoints, ItemScoring, ItemList, ChoiceRemoved, ChoicePoints, CapAdded, CapRemoved, CapChanged,
		BandAdded, BandRemoved, BandChanged, SchemeChanged:
		return false
	}
	return true
}

// Diff lists the differences between two versions, in the order of the later
// one, with what is gone at the end of its kind. Items are matched by name;
// renamed maps names of a to names of b. Without it, b's items say themselves
// what they were (Item.Was). An item that lost its name is taken to
// be renamed if exactly one new item has its kind and label.
func Diff(a, b *Template, renamed map[string]string) []Difference {
	d := &differ{a: a, b: b, before: flatten(a), after: flatten(b), was: map[string]string{}}
	d.match(renamed)
	d.items()
	d.lists()
	d.scheme()
	d.checks()
	d.cases()
	d.text(TitleChanged, "", "", "title", a.Title, b.Title)
	if before, after := strings.Join(a.Languages, ", "), strings.Join(b.Languages, ", "); before != after {
		d.add(Difference{Kind: LanguagesOther, Before: before, After: after})
	}
	return d.out
}

// Renamed gives the new names of the items that say that they had another name
// in the version before, by that name. Of two that claim the same, the first has it.
func Renamed(t *Template) map[string]string {
	out := map[string]string{}
	t.Walk(func(it *Item, _ []*Item) bool {
		if it.Was != "" && it.Was != it.Name && out[it.Was] == "" {
			out[it.Was] = it.Name
		}
		return true
	})
	return out
}

// flatItem is an item with the name of the group around it.
type flatItem struct {
	*Item
	in string
}

func flatten(t *Template) (out []flatItem) {
	t.Walk(func(it *Item, parents []*Item) bool {
		in := ""
		if len(parents) > 0 {
			in = parents[len(parents)-1].Name
		}
		out = append(out, flatItem{it, in})
		return true
	})
	return out
}

type differ struct {
	a, b          *Template
	before, after []flatItem
	was           map[string]string // names of a by those of b
	out           []Difference
}

func (d *differ) add(c Difference) { d.out = append(d.out, c) }

func named(items []flatItem, name string) *flatItem {
	i := slices.IndexFunc(items, func(it flatItem) bool { return it.Name == name })
	if i < 0 {
		return nil
	}
	return &items[i]
}

// match finds which item of a each item of b was.
func (d *differ) match(renamed map[string]string) {
	taken := map[string]bool{}
	if renamed == nil {
		renamed = Renamed(d.b)
	}
	for from, to := range renamed {
		if named(d.before, from) != nil && named(d.after, to) != nil {
			d.was[to], taken[from] = from, true
		}
	}
	for _, it := range d.after {
		if d.was[it.Name] == "" && !taken[it.Name] && named(d.before, it.Name) != nil {
			d.was[it.Name], taken[it.Name] = it.Name, true
		}
	}
	alike := func(x, y flatItem) bool {
		return x.Kind == y.Kind && !x.Label.IsZero() && fmt.Sprint(x.Label) == fmt.Sprint(y.Label)
	}
	for _, old := range d.before {
		if taken[old.Name] {
			continue
		}
		var found []flatItem
		for _, it := range d.after {
			if d.was[it.Name] == "" && alike(old, it) {
				found = append(found, it)
			}
		}
		if len(found) == 1 {
			d.was[found[0].Name], taken[old.Name] = old.Name, true
		}
	}
}

func (d *differ) items() {
	kept := map[string]bool{}
	for _, now := range d.after {
		was := d.was[now.Name]
		if was == "" {
			d.add(Difference{Kind: ItemAdded, Name: now.Name, Label: now.Label, After: string(now.Kind)})
			continue
		}
		kept[was] = true
		d.item(named(d.before, was), &now)
	}
	for _, old := range d.before {
		if !kept[old.Name] {
			d.add(Difference{Kind: ItemRemoved, Name: old.Name, Label: old.Label, Before: string(old.Kind)})
		}
	}
}

func (d *differ) item(old, now *flatItem) {
	differ := func(kind DifferenceKind, field, before, after string) {
		if before != after {
			d.add(Difference{Kind: kind, Name: now.Name, Label: now.Label, Field: field, Before: before, After: after})
		}
	}
	differ(ItemRenamed, "", old.Name, now.Name)
	if moved := now.in; d.was[moved] != old.in && moved != old.in {
		differ(ItemMoved, "", old.in, now.in)
	}
	differ(ItemType, "type", kindWords(old.Item), kindWords(now.Item))
	differ(ItemPoints, "points", pointsWords(old.Points), pointsWords(now.Points))
	differ(ItemScoring, "steps", stepsWords(old.Steps), stepsWords(now.Steps))
	differ(ItemScoring, "na", string(old.NA), string(now.NA))
	differ(ItemScoring, "reverse", fmt.Sprint(old.Reverse), fmt.Sprint(now.Reverse))
	differ(ItemScoring, "bonus", fmt.Sprint(old.Bonus), fmt.Sprint(now.Bonus))
	if old.Kind.Chooses() && now.Kind.Chooses() {
		differ(ItemList, "type", old.List, now.List)
	}
	for _, f := range []struct{ name, before, after string }{
		{"relevant", old.Relevant, now.Relevant}, {"required", old.Required, now.Required}, {"constraint", old.Constraint, now.Constraint},
		{"calculation", old.Calculation, now.Calculation}, {"default", old.Default, now.Default}, {"applies", old.Applies, now.Applies},
		{"evidence", old.Evidence, now.Evidence}, {"repeat_count", old.RepeatCount, now.RepeatCount}, {"choice_filter", old.ChoiceFilter, now.ChoiceFilter},
	} {
		differ(ItemLogic, f.name, f.before, f.after)
	}
	d.text(ItemText, now.Name, "", "label", old.Label, now.Label)
	d.text(ItemText, now.Name, "", "hint", old.Hint, now.Hint)
}

// text reports a text that says something else in any language.
func (d *differ) text(kind DifferenceKind, name, list, field string, before, after Text) {
	for _, tag := range d.b.Languages {
		if before[tag] != after[tag] && before[tag] != "" {
			d.add(Difference{Kind: kind, Name: name, List: list, Field: field + " (" + tag + ")", Label: after, Before: before[tag], After: after[tag]})
		}
	}
}

func kindWords(it *Item) string {
	if it.Type != "" {
		return it.Type
	}
	return string(it.Kind)
}

func pointsWords(p *Points) string {
	if p == nil {
		return ""
	}
	return p.String()
}

func stepsWords(steps []Step) string {
	var lines []string
	for _, s := range steps {
		lines = append(lines, s.When+" : "+s.Points)
	}
	return strings.Join(lines, "; ")
}

func (d *differ) lists() {
	for i := range d.b.Lists {
		now := &d.b.Lists[i]
		old := d.a.List(now.Name)
		if old == nil {
			continue // told with the items that choose from it
		}
		for j := range now.Choices {
			ch := &now.Choices[j]
			_, was := old.Choice(ch.Name)
			if was == nil {
				d.add(Difference{Kind: ChoiceAdded, Name: ch.Name, List: now.Name, Label: ch.Label})
				continue
			}
			if before, after := pointsWords(was.Points)+string(was.Means), pointsWords(ch.Points)+string(ch.Means); before != after {
				d.add(Difference{Kind: ChoicePoints, Name: ch.Name, List: now.Name, Label: ch.Label, Before: before, After: after})
			}
			d.text(ChoiceText, ch.Name, now.Name, "label", was.Label, ch.Label)
			d.text(ChoiceText, ch.Name, now.Name, "anchor", was.Anchor, ch.Anchor)
		}
		for j := range old.Choices {
			if _, left := now.Choice(old.Choices[j].Name); left == nil {
				d.add(Difference{Kind: ChoiceRemoved, Name: old.Choices[j].Name, List: now.Name, Label: old.Choices[j].Label})
			}
		}
	}
}

// part is a band, a cap or a check for comparing.
type part struct {
	code, says string
	label      Text
}

func (d *differ) parts(before, after []part, added, removed, changed DifferenceKind) {
	find := func(all []part, code string) *part {
		for i := range all {
			if all[i].code == code {
				return &all[i]
			}
		}
		return nil
	}
	for _, now := range after {
		switch was := find(before, now.code); {
		case was == nil:
			d.add(Difference{Kind: added, Name: now.code, Label: now.label, After: now.says})
		case was.says != now.says:
			d.add(Difference{Kind: changed, Name: now.code, Label: now.label, Before: was.says, After: now.says})
		}
	}
	for _, was := range before {
		if find(after, was.code) == nil {
			d.add(Difference{Kind: removed, Name: was.code, Label: was.label, Before: was.says})
		}
	}
}

func (d *differ) scheme() {
	bands := func(s *Scheme) (out []part) {
		for _, b := range s.Bands {
			out = append(out, part{b.Code, "≥ " + b.Min.String(), b.Label})
		}
		return out
	}
	caps := func(s *Scheme) (out []part) {
		for _, c := range s.Caps {
			out = append(out, part{c.Code, c.When + " → " + c.Band, c.Label})
		}
		return out
	}
	old, now := d.a.Scheme, d.b.Scheme
	if old == nil {
		old = &Scheme{}
	}
	if now == nil {
		now = &Scheme{}
	}
	for _, f := range []struct {
		name          string
		before, after any
	}{
		{"total", old.Total, now.Total}, {"na_policy", old.NA, now.NA}, {"rescale", old.Rescale, now.Rescale}, {"blank", old.Blank, now.Blank},
		{"decimals", old.Decimals, now.Decimals}, {"min_available", old.MinAvailable, now.MinAvailable}, {"graded", old.Graded, now.Graded},
		{"applies", old.Applies, now.Applies},
	} {
		if before, after := fmt.Sprint(f.before), fmt.Sprint(f.after); before != after {
			d.add(Difference{Kind: SchemeChanged, Field: f.name, Before: before, After: after})
		}
	}
	d.parts(bands(old), bands(now), BandAdded, BandRemoved, BandChanged)
	d.parts(caps(old), caps(now), CapAdded, CapRemoved, CapChanged)
}

func (d *differ) checks() {
	of := func(t *Template) (out []part) {
		for _, c := range t.Checks {
			out = append(out, part{c.Code, c.Test, c.Label})
		}
		return out
	}
	d.parts(of(d.a), of(d.b), CheckAdded, CheckRemoved, CheckChanged)
}

func (d *differ) cases() {
	of := func(t *Template) (out []part) {
		for _, k := range t.Cases {
			b, _ := json.Marshal(k) // answers and texts: nothing that has no JSON
			out = append(out, part{code: k.Name, says: string(b)})
		}
		return out
	}
	d.parts(of(d.a), of(d.b), CaseAdded, CaseRemoved, CaseChanged)
}
