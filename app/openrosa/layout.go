package openrosa

import (
	"strings"

	"github.com/khaosat/khaosat/survey"
)

// VisitsFile is the media file that lists the observer's own visits; each
// observer gets another one under the same name.
const VisitsFile = "visits.csv"

// visitsInstance is what forms call the list.
const visitsInstance = "visits"

// layout says where everything is in the instance of a template's form. The
// writer and the reader share it.
type layout struct {
	template *survey.Template
	// places has every item and evidence note by name.
	places map[string]*place
	taken  map[string]bool // names of nodes
	// The form's own nodes beside the template's items. Those that the template
	// has an item for are "".
	visit, start, end, device, score string
	// counts are the nodes that hold how often a repeat is repeated, by its name.
	counts map[string]string
	// heads are the nodes of the rows that hold the labels of a table's choices,
	// by the name of the table's first item; inTable has the names of its items.
	heads   map[string]string
	inTable map[string]bool
}

// place is one node of the instance.
type place struct {
	item *survey.Item
	name string
	note bool     // the evidence note that goes with the item
	path []string // from the root, "data" first
	// repeats are the lengths of the path's beginnings that are repeats.
	repeats []int
}

// rootName is what the instance's root element is called.
const rootName = "data"

func newLayout(t *survey.Template) *layout {
	l := &layout{template: t, places: map[string]*place{}, taken: map[string]bool{"meta": true}, counts: map[string]string{},
		heads: map[string]string{}, inTable: map[string]bool{}}
	var add func(items []survey.Item, path []string, repeats []int)
	put := func(it *survey.Item, name string, note bool, path []string, repeats []int) *place {
		p := &place{item: it, name: name, note: note, path: append(path[:len(path):len(path)], name), repeats: repeats}
		if it.Kind == survey.KindRepeat && !note {
			p.repeats = append(repeats[:len(repeats):len(repeats)], len(p.path))
		}
		if _, twice := l.places[name]; !twice {
			l.places[name] = p
		}
		l.taken[name] = true
		return p
	}
	add = func(items []survey.Item, path []string, repeats []int) {
		for i := range items {
			it := &items[i]
			p := put(it, it.Name, false, path, repeats)
			if it.Kind.HasItems() {
				add(it.Items, p.path, p.repeats)
			} else if it.Evidence != "" {
				put(it, survey.NoteName(it.Name), true, path, repeats)
			}
		}
	}
	add(t.Items, []string{rootName}, nil)
	// Old names stay what they are: the bytes of a version never change.
	l.visit = l.free("visit_")
	l.start, l.end, l.device = l.free("start_"), l.free("end_"), l.free("deviceid_")
	l.score = l.free("score_")
	t.Walk(func(it *survey.Item, _ []*survey.Item) bool {
		if it.Kind == survey.KindRepeat && it.RepeatCount != "" && l.plainRef(it.RepeatCount) == "" {
			l.counts[it.Name] = l.free(it.Name + "_count")
		}
		if it.Kind == survey.KindGroup && strings.Contains(it.Appearance, tableList) {
			first := true
			for i := range it.Items {
				if row := &it.Items[i]; row.Kind.Chooses() && row.Type == "" {
					if first {
						l.heads[row.Name] = l.free(row.Name + "_labels")
					}
					first = false
					l.inTable[row.Name] = true
				}
			}
		}
		return true
	})
	return l
}

// free gives a node name that nothing has.
func (l *layout) free(name string) string {
	for l.taken[name] {
		name += "_"
	}
	l.taken[name] = true
	return name
}

// plainRef gives the name in an expression that is a reference and nothing
// else, "" for any other.
func (l *layout) plainRef(source string) string {
	s := strings.TrimSpace(source)
	if name, ok := strings.CutPrefix(s, "${"); ok {
		if name, ok := strings.CutSuffix(name, "}"); ok && l.places[name] != nil {
			return name
		}
	}
	return ""
}

func (p *place) String() string { return "/" + strings.Join(p.path, "/") }

// ref writes the way from one node to another. Inside a repeat it is relative,
// so that it stays in the instance; to what is elsewhere it is absolute, and
// means all instances if there are several.
func (p *place) ref(to *place) string {
	common := 0
	for common < len(p.path) && common < len(to.path) && p.path[common] == to.path[common] {
		common++
	}
	inside := false
	for _, n := range p.repeats {
		if n <= common && n < len(to.path) && n < len(p.path) {
			inside = true
		}
	}
	if !inside {
		return to.String()
	}
	if common == len(p.path) {
		common-- // the node itself, or one inside it
	}
	return strings.Repeat("../", len(p.path)-common) + strings.Join(to.path[common:], "/")
}

// absolute gives the way from the root of a way that ref has written.
func (p *place) absolute(ref string) string {
	up := strings.Count(ref, "../")
	if rest := strings.TrimPrefix(ref, strings.Repeat("../", up)); up > 0 && up < len(p.path) && !strings.ContainsAny(rest, " ()") {
		return "/" + strings.Join(p.path[:len(p.path)-up], "/") + "/" + rest
	}
	return ref
}

// at gives the place of one of the form's own nodes.
func (l *layout) at(name string) *place {
	return &place{name: name, path: []string{rootName, name}}
}
