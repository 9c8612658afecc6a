package survey

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/khaosat/khaosat/survey/expr"
)

// itemNameShape is what XLSForm allows as a name.
var itemNameShape = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_.\-]*$`)

// maxNameLength keeps names usable as column headers and database keys.
const maxNameLength = 64

func (c *compiler) checkName(it *Item, rows map[string]*Item) {
	if !itemNameShape.MatchString(it.Name) || len(it.Name) > maxNameLength {
		c.itemError(it, "name", "item.name", it.Name, nil)
		return
	}
	if first, taken := rows[it.Name]; taken {
		c.itemError(it, "name", "item.duplicate", it.Name, Args{"row": fmt.Sprint(first.Row)})
		return
	}
	rows[it.Name] = it
	if it.Evidence == "" {
		return
	}
	if first, taken := rows[NoteName(it.Name)]; taken {
		c.itemError(it, "evidence", "item.duplicate", NoteName(it.Name), Args{"row": fmt.Sprint(first.Row)})
	}
	rows[NoteName(it.Name)] = it
}

// checkTexts finds labels that are missing altogether or in a language.
func (c *compiler) checkTexts() {
	t := c.t
	if !ValidCode(string(t.Code)) {
		c.report(SeverityError, "template.code", Place{Sheet: "settings", Column: "form_id"}, string(t.Code), nil)
	}
	if len(t.Languages) == 0 {
		c.report(SeverityError, "template.no_language", Place{Sheet: "settings", Column: "default_language"}, "", nil)
	}
	if t.Title.IsZero() { // XLSForm has a title in one language only
		c.report(SeverityError, "text.missing", Place{Sheet: "settings", Column: "form_title"}, "", nil)
	}
	t.Walk(func(it *Item, _ []*Item) bool {
		silent := it.Kind == KindCalculate || it.Kind.HasItems() || !it.Hint.IsZero() || !it.Guidance.IsZero() || len(it.Media) > 0
		c.checkText(it.Label, !silent, itemPlace(it, "label"))
		c.checkText(it.Hint, false, itemPlace(it, "hint"))
		c.checkText(it.Guidance, false, itemPlace(it, "guidance_hint"))
		c.checkText(it.RequiredMessage, false, itemPlace(it, "required_message"))
		c.checkText(it.ConstraintMessage, false, itemPlace(it, "constraint_message"))
		return true
	})
	for i := range t.Checks {
		c.checkText(t.Checks[i].Label, true, Place{Sheet: "checks", Row: t.Checks[i].Row, Column: "label", Item: t.Checks[i].Code})
	}
}

// checkText reports a text that is missing though needed, or that exists in
// some of the template's languages only.
func (c *compiler) checkText(text Text, needed bool, at Place) {
	if text.IsZero() {
		if needed {
			c.report(SeverityError, "text.missing", at, "", nil)
		}
		return
	}
	for _, lang := range c.t.Languages {
		if text[lang] == "" {
			// Shown in another language until it is there.
			c.report(SeverityWarning, "text.language", at, "", Args{"language": lang, "column": at.Column})
		}
	}
}

func choicePlace(ch *Choice, column string) Place {
	return Place{Sheet: "choices", Row: ch.Row, Column: column, Item: ch.Name}
}

// checkLists finds what is wrong with the choice lists and with how items use them.
func (c *compiler) checkLists() {
	rubrics, multiples, scored := map[string]bool{}, map[string]bool{}, map[string]bool{}
	seenLists := map[string]bool{}
	c.t.Walk(func(it *Item, _ []*Item) bool {
		c.checkKind(it)
		if !it.Kind.Chooses() {
			return true
		}
		list := c.t.List(it.List)
		if list == nil || len(list.Choices) == 0 {
			p := c.itemError(it, "type", "list.unknown", it.List, nil)
			p.Suggestion = Closest(it.List, c.listNames())
			return true
		}
		rubrics[it.List] = rubrics[it.List] || it.Kind == KindRubric
		scored[it.List] = scored[it.List] || it.Kind == KindRubric || it.Points != nil
		multiples[it.List] = multiples[it.List] || it.Kind == KindSelectMultiple
		if it.TagsList != "" && c.t.List(it.TagsList) == nil {
			c.itemError(it, "tags_list", "list.unknown", it.TagsList, nil).Suggestion = Closest(it.TagsList, c.listNames())
		}
		return true
	})
	for i := range c.t.Lists {
		list := &c.t.Lists[i]
		if seenLists[list.Name] {
			c.report(SeverityError, "list.duplicate", Place{Sheet: "choices", Column: "list_name"}, list.Name, nil)
		}
		seenLists[list.Name] = true
		if len(list.Choices) > MaxCode {
			severity, code := SeverityWarning, "list.long"
			if scored[list.Name] {
				severity, code = SeverityError, "list.too_long"
			}
			c.report(severity, code, Place{Sheet: "choices", Row: list.Choices[0].Row, Column: "list_name"}, list.Name, Args{"max": fmt.Sprint(MaxCode)})
		}
		c.checkChoices(list, rubrics[list.Name], multiples[list.Name], scored[list.Name])
	}
}

// MaxCode is the most choices of a list that summaries count: they keep a choice
// in one byte, of which a few values mean "not asked" and the like.
const MaxCode = 250

func (c *compiler) listNames() []string {
	names := make([]string, len(c.t.Lists))
	for i := range c.t.Lists {
		names[i] = c.t.Lists[i].Name
	}
	return names
}

func (c *compiler) checkChoices(list *ChoiceList, rubric, multiple, scored bool) {
	twice := isYes(c.t.Settings["allow_choice_duplicates"])
	seen := map[string]int{}
	for i := range list.Choices {
		ch := &list.Choices[i]
		switch first, taken := seen[ch.Name]; {
		case ch.Name == "":
			c.report(SeverityError, "choice.no_name", choicePlace(ch, "name"), "", Args{"list": list.Name})
		case taken && !twice:
			c.report(SeverityError, "choice.duplicate", choicePlace(ch, "name"), ch.Name, Args{"list": list.Name, "row": fmt.Sprint(first)})
		case multiple && strings.ContainsAny(ch.Name, " \t\n"):
			p := c.report(SeverityError, "choice.space", choicePlace(ch, "name"), ch.Name, Args{"list": list.Name})
			p.Suggestion = strings.Join(strings.Fields(ch.Name), "_")
		}
		seen[ch.Name] = ch.Row
		if ch.Label.IsZero() && !scored && ch.Name != "" {
			if len(ch.Media) == 0 { // else a picture or a sound says it
				c.report(SeverityWarning, "choice.no_label", choicePlace(ch, "label"), ch.Name, Args{"list": list.Name})
			}
		} else {
			c.checkText(ch.Label, true, choicePlace(ch, "label"))
		}
		if ch.Means != "" && ch.Means != MeansNA && ch.Means != MeansNotObserved {
			c.report(SeverityError, "choice.meaning", choicePlace(ch, "na"), string(ch.Means), nil)
		}
		if rubric && ch.Means == "" {
			c.checkText(ch.Anchor, true, choicePlace(ch, "anchor"))
		} else {
			c.checkText(ch.Anchor, false, choicePlace(ch, "anchor"))
		}
		if ch.Means != "" && ch.Points != nil {
			c.report(SeverityError, "choice.na_points", choicePlace(ch, "points"), ch.Points.String(), Args{"choice": ch.Name, "list": list.Name})
		}
	}
}

// checkKind finds what does not fit an item's kind.
func (c *compiler) checkKind(it *Item) {
	if !slices.Contains(ItemKinds, it.Kind) {
		if it.Kind != KindUnknown { // an import has reported its own
			c.itemError(it, "type", "item.kind", string(it.Kind), nil)
		} else {
			c.itemError(it, "type", "item.kind_unknown", "", nil)
		}
		return
	}
	if it.Kind.HasItems() && len(it.Items) == 0 {
		c.report(SeverityWarning, "group.empty", itemPlace(it, "type"), it.Name, nil)
	}
	switch it.NA {
	case "", NARescale, NAFull, NAZero:
	default:
		c.itemError(it, "na", "na.policy", string(it.NA), nil).Suggestion =
			Closest(string(it.NA), []string{string(NARescale), string(NAFull), string(NAZero)})
	}
	if it.Role.Finding() {
		if it.Kind != KindRepeat {
			c.itemError(it, "role", "role.not_repeat", string(it.Role), nil)
		} else if !slices.ContainsFunc(it.Items, func(child Item) bool { return child.Role == RoleText }) {
			c.itemError(it, "role", "role.no_text", string(it.Role), nil)
		}
	}
	c.checkPoints(it)
}

// checkPoints compares what an item can earn with what it says it can.
func (c *compiler) checkPoints(it *Item) {
	if it.Points == nil {
		if len(it.Steps) > 0 {
			c.itemError(it, "points", "points.missing", "", nil)
		}
		return
	}
	if it.Kind.HasItems() {
		return
	}
	if *it.Points < 0 && !it.Bonus {
		c.itemError(it, "points", "points.negative", it.Points.String(), nil)
	}
	if len(it.Steps) > 0 {
		top, fixed := Points(0), true
		for i, s := range it.Steps {
			p, ok := ParsePoints(s.Points)
			fixed = fixed && ok
			if i == 0 || p > top {
				top = p
			}
		}
		if fixed {
			c.compareTop(it, "steps", top)
		}
		return
	}
	if !it.Kind.Chooses() {
		c.itemError(it, "points", "points.no_source", it.Points.String(), nil)
		return
	}
	list := c.t.List(it.List)
	if list == nil {
		return // reported with the list
	}
	var top, sum Points
	first := true
	for i := range list.Choices {
		ch := &list.Choices[i]
		if ch.Points == nil {
			if ch.Means == "" {
				c.report(SeverityError, "choice.no_points", choicePlace(ch, "points"), ch.Name, Args{"item": it.Name, "list": list.Name})
			}
			continue
		}
		if first || *ch.Points > top {
			top = *ch.Points
		}
		first = false
		sum += max(0, *ch.Points)
	}
	if it.Kind == KindSelectMultiple {
		// Choices add up; the item's points are the ceiling.
		if sum < *it.Points {
			c.itemError(it, "points", "points.top", it.Points.String(), Args{"top": sum.String()})
		}
		return
	}
	c.compareTop(it, "points", top)
}

func (c *compiler) compareTop(it *Item, column string, top Points) {
	if top != *it.Points && !(it.Bonus && *it.Points < 0) {
		c.itemError(it, column, "points.top", it.Points.String(), Args{"top": top.String()})
	}
}

// compileScheme compiles caps and finds what is wrong with bands and settings.
func (c *compiler) compileScheme() {
	s := c.t.Scheme
	if s == nil {
		for _, slot := range c.form.scored {
			c.itemError(c.form.nodes[slot].item, "points", "scheme.missing", "", nil)
			break
		}
		return
	}
	scoringPlace := func(column string) Place { return Place{Sheet: "scoring", Row: 2, Column: column} }
	if s.Total <= 0 {
		c.report(SeverityError, "scheme.total", scoringPlace("total"), s.Total.String(), nil)
	}
	if s.Decimals < 0 || s.Decimals > 2 {
		c.report(SeverityError, "scheme.decimals", scoringPlace("decimals"), fmt.Sprint(s.Decimals), nil)
	}
	if s.MinAvailable < 0 || s.MinAvailable > 100 {
		c.report(SeverityError, "scheme.min_available", scoringPlace("min_available"), fmt.Sprint(s.MinAvailable), nil)
	}
	choose := func(column, value string, allowed ...string) {
		if !slices.Contains(allowed, value) {
			c.report(SeverityError, "scheme.choice", scoringPlace(column), value, Args{"column": column, "allowed": strings.Join(allowed, ", ")}).
				Suggestion = Closest(value, allowed)
		}
	}
	choose("na_policy", string(s.NA), string(NARescale), string(NAFull), string(NAZero))
	choose("rescale", string(s.Rescale), string(RescaleOverall), string(RescaleSection))
	choose("blank", string(s.Blank), string(BlankNotGraded), string(BlankZero))
	for _, r := range s.Roles {
		if !slices.Contains(RatingRoles, r) {
			c.report(SeverityError, "scheme.role", scoringPlace("roles"), string(r), nil)
		}
	}
	if s.Applies != "" {
		c.form.applies = c.compileAt(scoringPlace("applies"), s.Applies, exprScope{form: c.form, unit: true})
	}
	for _, slot := range c.form.scored {
		if c.form.nodes[slot].scope > 0 {
			c.itemError(c.form.nodes[slot].item, "points", "points.in_repeat", "", nil)
		}
	}
	c.checkBands(s)
	c.compileCaps(s)
}

func (c *compiler) checkBands(s *Scheme) {
	if s.Graded && len(s.Bands) == 0 {
		c.report(SeverityError, "bands.none", Place{Sheet: "scoring", Row: 2, Column: "graded"}, "", nil)
	}
	seen := map[string]bool{}
	for i := range s.Bands {
		b := &s.Bands[i]
		at := Place{Sheet: "bands", Row: b.Row, Item: b.Code, Column: "code"}
		if b.Code == "" || seen[b.Code] {
			c.report(SeverityError, "band.code", at, b.Code, nil)
		}
		seen[b.Code] = true
		at.Column = "min"
		if i > 0 && b.Min >= s.Bands[i-1].Min {
			c.report(SeverityError, "band.order", at, b.Min.String(), Args{"above": s.Bands[i-1].Code})
		}
		if i == len(s.Bands)-1 && b.Min > 0 {
			c.report(SeverityError, "band.gap", at, b.Min.String(), nil)
		}
		at.Column = "label"
		c.checkText(b.Label, true, at)
	}
}

func (c *compiler) compileCaps(s *Scheme) {
	seen := map[string]bool{}
	codes := make([]string, len(s.Bands))
	for i := range s.Bands {
		codes[i] = s.Bands[i].Code
	}
	for i := range s.Caps {
		k := &s.Caps[i]
		at := Place{Sheet: "caps", Row: k.Row, Item: k.Code, Column: "code"}
		if k.Code == "" || seen[k.Code] {
			c.report(SeverityError, "cap.code", at, k.Code, nil)
		}
		seen[k.Code] = true
		at.Column = "band"
		if s.Band(k.Band) < 0 {
			c.report(SeverityError, "cap.band", at, k.Band, Args{"bands": strings.Join(codes, ", ")}).Suggestion = Closest(k.Band, codes)
		}
		at.Column = "label"
		c.checkText(k.Label, true, at)
		at.Column = "when"
		when := c.compileAt(at, k.When, exprScope{form: c.form, caps: true})
		c.form.caps = append(c.form.caps, when)
		c.checkScoreCalls(k.When, at)
		c.checkCap(k, when, at)
	}
	if len(s.Caps) > 32 {
		c.report(SeverityError, "cap.too_many", Place{Sheet: "caps"}, fmt.Sprint(len(s.Caps)), nil)
	}
}

// checkScoreCalls sees to it that points('X') and share('X') name something scored.
func (c *compiler) checkScoreCalls(source string, at Place) {
	parsed, err := expr.Parse(source)
	if err != nil {
		return // reported by the compilation
	}
	var items, sections []string
	for _, slot := range c.form.scored {
		items = append(items, c.form.nodes[slot].name)
	}
	for i := range c.form.sections {
		sections = append(sections, c.form.sections[i].Item.Name)
	}
	for _, call := range parsed.Calls() {
		if _, ours := scoreFunctions[call.Name]; !ours || call.Name == "available" {
			continue
		}
		pos := call.Pos
		at.Pos = &pos
		if call.Literal == "" {
			c.report(SeverityError, "score_call.literal", at, call.Name, nil)
			continue
		}
		if !slices.Contains(items, call.Literal) && !slices.Contains(sections, call.Literal) {
			c.report(SeverityError, "score_call.unknown", at, call.Literal, Args{"function": call.Name}).
				Suggestion = Closest(call.Literal, append(items, sections...))
		}
	}
}

// checkSums sees to it that the points of the items add up to those of their
// section and to the total, for every kind of unit.
func (c *compiler) checkSums(lists *TypeLists) {
	s := c.t.Scheme
	if s == nil {
		return
	}
	varies := s.Applies != ""
	for i := range c.form.nodes {
		varies = varies || c.form.nodes[i].applies != nil
	}
	if !varies {
		c.checkSumsFor(&UnitFacts{}, lists, "")
		return
	}
	if lists == nil {
		return
	}
	for _, unit := range c.unitKinds(lists) {
		if !c.form.AppliesTo(&unit, lists) {
			continue
		}
		words := fmt.Sprintf("structure %s, sector %s, setting %s, tags %s", unit.Structure, unit.Sector, unit.Setting, strings.Join(unit.Tags, " "))
		if !c.checkSumsFor(&unit, lists, words) {
			return // one kind of unit is enough to see the mistake
		}
	}
}

// unitKinds lists every combination of the axes with no tag, each tag alone,
// and all tags.
func (c *compiler) unitKinds(lists *TypeLists) []UnitFacts {
	tagSets := [][]string{nil}
	var all []string
	for _, t := range lists.Tags {
		tagSets = append(tagSets, []string{t.Code})
		all = append(all, t.Code)
	}
	if len(all) > 1 {
		tagSets = append(tagSets, all)
	}
	var kinds []UnitFacts
	for _, st := range lists.Structures {
		if !st.Assessed {
			continue
		}
		for _, se := range lists.Sectors {
			for _, at := range lists.Settings {
				for _, tags := range tagSets {
					kinds = append(kinds, UnitFacts{Structure: st.Code, Sector: se.Code, Setting: at.Code, Tags: tags})
				}
			}
		}
	}
	return kinds
}

func (c *compiler) checkSumsFor(unit *UnitFacts, lists *TypeLists, kind string) bool {
	e := &env{unit: unit, lists: lists}
	applies := func(slot int) bool {
		for s := slot; s >= 0; s = c.form.nodes[s].parent {
			if p := c.form.nodes[s].applies; p != nil && !p.Eval(e).Truth() {
				return false
			}
		}
		return true
	}
	sums := map[int]Points{}
	var total Points
	for _, slot := range c.form.scored {
		n := &c.form.nodes[slot]
		if n.item.Bonus || !applies(slot) {
			continue
		}
		total += *n.item.Points
		for p := n.parent; p >= 0; p = c.form.nodes[p].parent {
			sums[p] += *n.item.Points
		}
	}
	ok := true
	for slot := range c.form.nodes {
		n := &c.form.nodes[slot]
		if n.kind != KindGroup || n.item.Points == nil || !applies(slot) {
			continue
		}
		if sums[slot] != *n.item.Points {
			c.itemError(n.item, "points", "points.section_sum", n.item.Points.String(), Args{"sum": sums[slot].String(), "unit": kind})
			ok = false
		}
	}
	if total != c.t.Scheme.Total {
		c.report(SeverityError, "points.total_sum", Place{Sheet: "scoring", Row: 2, Column: "total"}, c.t.Scheme.Total.String(),
			Args{"sum": total.String(), "unit": kind})
		ok = false
	}
	return ok
}

// isYes reads a setting that is yes or no.
func isYes(s string) bool {
	switch strings.ToLower(s) {
	case "yes", "true", "true()", "1":
		return true
	}
	return false
}

// checkChoiceFilter finds what is wrong with the condition by which choices are
// shown: its syntax, and references and columns that do not exist.
func (c *compiler) checkChoiceFilter(it *Item) {
	if it.ChoiceFilter == "" {
		return
	}
	at := itemPlace(it, "choice_filter")
	parsed, err := expr.Parse(it.ChoiceFilter)
	if err != nil {
		c.compileAt(at, it.ChoiceFilter, exprScope{form: c.form}) // reports it
		return
	}
	for _, ref := range parsed.Refs() {
		if _, known := c.form.slots[ref.Name]; !known && !ref.LastSaved {
			at.Pos = &ref.Pos
			c.report(SeverityError, "ref.unknown", at, ref.Name, nil).Suggestion = c.closest(ref.Name)
		}
	}
}
