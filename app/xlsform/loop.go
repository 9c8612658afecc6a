package xlsform

import (
	"maps"
	"slices"
	"strings"

	"github.com/khaosat/khaosat/survey"
)

const (
	// loopType marks a group that stands for one group a choice, until the
	// choices are known.
	loopType = "loop"
	// maxLooped are the items that loops may come to.
	maxLooped = 5_000
)

// loopOver makes out "begin loop over LIST", which XLSForm had once.
func loopOver(lower, words []string) (rowType, bool) {
	if joined := strings.Join(lower, "_"); joined == "end_loop" {
		return rowType{role: roleEnd, kind: survey.KindGroup}, true
	} else if !strings.HasPrefix(joined, "begin_loop") {
		return rowType{}, false
	}
	t := rowType{role: roleBegin, kind: survey.KindGroup, typ: loopType}
	if i := slices.Index(lower, "over"); i >= 0 {
		t.list = identifier(strings.Join(words[i+1:], " "))
	}
	return t, true
}

// expandLoops puts a group for each choice in place of what loops repeat, with
// the choice's label and name in the texts where they ask for them.
func (r *reader) expandLoops() {
	left := maxLooped
	var expand func(items []survey.Item)
	expand = func(items []survey.Item) {
		for i := range items {
			it := &items[i]
			expand(it.Items) // the inner ones first
			if it.Type != loopType || it.Kind != survey.KindGroup {
				continue
			}
			list, body := r.template.List(it.List), it.Items
			if list != nil {
				left -= len(list.Choices) * (1 + count(body))
			}
			if list == nil || left < 0 {
				r.fault("type.loop", r.grids[surveySheet].place(sheetRow{number: it.Row}, "type", it.Name), it.List,
					survey.Args{"lists": r.listNames()}).Suggestion = survey.Closest(it.List, r.names())
				it.Type, it.List = "", ""
				continue
			}
			it.Type, it.List, it.Items = "", "", nil
			for j := range list.Choices {
				ch := &list.Choices[j]
				it.Items = append(it.Items, survey.Item{Name: ch.Name, Kind: survey.KindGroup, Label: ch.Label, Row: it.Row, Items: ofChoice(body, ch)})
			}
		}
	}
	expand(r.template.Items)
}

// names gives the names of the lists.
func (r *reader) names() []string {
	var out []string
	for i := range r.template.Lists {
		out = append(out, r.template.Lists[i].Name)
	}
	return out
}

func count(items []survey.Item) int {
	n := len(items)
	for i := range items {
		n += count(items[i].Items)
	}
	return n
}

// ofChoice copies what a loop repeats for one choice.
func ofChoice(items []survey.Item, ch *survey.Choice) []survey.Item {
	out := slices.Clone(items)
	for i := range out {
		it := &out[i]
		for _, text := range []*survey.Text{&it.Label, &it.Hint, &it.Guidance, &it.RequiredMessage, &it.ConstraintMessage} {
			*text = maps.Clone(*text)
			for tag, s := range *text {
				(*text)[tag] = strings.NewReplacer("%(label)s", ch.Label.In(tag), "%(name)s", ch.Name).Replace(s)
			}
		}
		it.Items = ofChoice(it.Items, ch)
	}
	return out
}
